#include "src/sys/file.h"

#include <gmock/gmock.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/lock.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;
using File = TestDirectory;

TEST_F(File, IsOpenedCloseOnExec) {
  UniqueFd fd = *open(dir, ".", O_RDONLY);
  EXPECT_EQ(::fcntl(fd.raw(), F_GETFD), FD_CLOEXEC);
}

TEST_F(File, ThatCannotBeOpenedIsNamedWithTheReason) {
  Result<UniqueFd> opened = open(dir, "missing", O_RDONLY);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ENOENT);
  EXPECT_EQ(opened.error().text, "open missing: No such file or directory");
}

TEST_F(File, IsReadAsAWhole) {
  for (size_t size : {0, 1, 4095, 4096, 4097, 300000}) {
    std::string content(size, 'x');
    if (size > 0) content.back() = '\0';
    put("f", content);
    EXPECT_EQ(*read_file(dir, "f"), content) << size;
    UniqueFd fd = *open(dir, "f", O_RDONLY);
    EXPECT_EQ(*read_all(fd, "f"), content) << size;
  }
}

TEST_F(File, OfOursIsReadAsAWholeToo) {
  for (size_t size : {size_t{0}, size_t{1}, size_t{16383}, size_t{16384}, size_t{16385},
                      size_t{65536}, size_t{200000}}) {
    const std::string content(size, 'x');
    ASSERT_TRUE(write_file_atomically(dir, "f", "t", content, 0600));
    EXPECT_EQ(*read_own_file(dir, "f"), content) << size;
  }
  EXPECT_EQ(read_own_file(dir, "f", 199999).error().code, EFBIG);
}

TEST_F(File, OfProcIsReadAlthoughItsSizeIsSaidToBeZero) {
  ASSERT_EQ(stat(kCwd, "/proc/self/status")->st_size, 0);
  EXPECT_THAT(*read_file(kCwd, "/proc/self/status"), testing::HasSubstr("\nPid:\t"));
}

TEST_F(File, LargerThanTheLimitIsAnErrorAndNotCut) {
  put("f", "12345");
  EXPECT_EQ(*read_file(dir, "f", 5), "12345");
  Result<std::string> content = read_file(dir, "f", 4);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().code, EFBIG);
  EXPECT_EQ(content.error().text, "read f: larger than 4 bytes");
}

TEST_F(File, WithoutEndIsCutOffByTheLimit) {
  EXPECT_EQ(read_file(kCwd, "/dev/zero", 100000).error().code, EFBIG);
}

TEST_F(File, ReadAllBeginsWhereTheDescriptorIs) {
  put("f", "12345");
  UniqueFd fd = *open(dir, "f", O_RDONLY);
  ASSERT_EQ(::lseek(fd.raw(), 3, SEEK_SET), 3);
  EXPECT_EQ(*read_all(fd, "f"), "45");
}

TEST_F(File, ThatIsADirectoryCannotBeRead) {
  EXPECT_EQ(read_file(kCwd, path).error().text, cat("read ", path, ": Is a directory"));
}

TEST_F(File, WriteControlNeitherMakesNorTruncates) {
  EXPECT_EQ(write_control(dir, "f", "x").error().code, ENOENT);
  EXPECT_FALSE(exists(dir, "f"));
  put("f", "12345");
  ASSERT_TRUE(write_control(dir, "f", "ab"));
  EXPECT_EQ(*read_file(dir, "f"), "ab345");
}

TEST_F(File, WriteControlNamesTheValueAndTheFile) {
  Result<> written = write_control(kCwd, "/dev/full", "7\n");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ENOSPC);
  EXPECT_EQ(written.error().text, "write \"7\\n\" to /dev/full: No space left on device");
}

TEST_F(File, WriteAllWritesWhatTakesManyCalls) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const std::string content(200000, 'x');  // more than a pipe holds
  pid_t writer = ::fork();
  if (writer == 0) {
    ::close(pipe[0]);
    ::_exit(write_all(Fd(pipe[1]), "pipe", content) ? 0 : 1);
  }
  ::close(pipe[1]);
  EXPECT_EQ(*read_all(Fd(pipe[0]), "pipe"), content);
  ::close(pipe[0]);
  int status = -1;
  ::waitpid(writer, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(File, IsReplacedAsAWhole) {
  put("f", "a long old content");
  const ino_t before = stat(dir, "f")->st_ino;
  ASSERT_TRUE(write_file_atomically(dir, "f", "f.tmp", "new", 0640));
  EXPECT_EQ(*read_file(dir, "f"), "new");
  EXPECT_NE(stat(dir, "f")->st_ino, before);  // whoever reads the old one reads it to its end
  EXPECT_EQ(stat(dir, "f")->st_mode & 07777, 0640u);
  EXPECT_FALSE(exists(dir, "f.tmp"));
}

TEST_F(File, ThatCannotBeReplacedStaysAndNoTemporaryIsLeft) {
  ASSERT_TRUE(mkdir(dir, "d", 0700));
  Result<> written = write_file_atomically(dir, "d", "d.tmp", "new", 0600);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().text, "rename d.tmp to d: Is a directory");
  EXPECT_THAT(*list_directory(dir, "."), UnorderedElementsAre("d"));
}

TEST_F(File, TemporaryNameIsNoWayThroughASymlink) {
  put("victim", "untouched");
  ASSERT_EQ(::symlinkat("victim", dir.raw(), "f.tmp"), 0);
  EXPECT_EQ(write_file_atomically(dir, "f", "f.tmp", "new", 0600).error().code, ELOOP);
  EXPECT_EQ(*read_file(dir, "victim"), "untouched");
}

TEST_F(File, MkdirParentsMakesEveryMissingDirectory) {
  ASSERT_TRUE(mkdir_parents(path + "/a/b//c/", 0700));
  EXPECT_TRUE(is_directory(dir, "a/b/c"));
  EXPECT_EQ(stat(dir, "a")->st_mode & 07777, 0700u);
  EXPECT_TRUE(mkdir_parents(path + "/a/b/c", 0700));
}

TEST_F(File, MkdirParentsNamesThePathThatIsInTheWay) {
  put("f", "");
  Result<> made = mkdir_parents(path + "/f/x/y", 0700);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ENOTDIR);
  EXPECT_THAT(made.error().text, testing::StartsWith(cat("mkdir ", path, "/f/x")));
  EXPECT_EQ(mkdir_parents(path + "/f", 0700).error().text,
            cat("mkdir ", path, "/f: Not a directory"));
}

TEST_F(File, RemoveTreeRemovesEverythingBelow) {
  ASSERT_TRUE(mkdir_parents(path + "/a/b/c", 0700));
  put("a/f", "1");
  put("a/b/c/g", "2");
  ASSERT_TRUE(remove_tree(dir, "a"));
  EXPECT_THAT(*list_directory(dir, "."), IsEmpty());
}

TEST_F(File, RemoveTreeDoesNotFollowSymlinks) {
  ASSERT_TRUE(mkdir_parents(path + "/kept", 0700));
  put("kept/f", "1");
  ASSERT_TRUE(mkdir(dir, "a", 0700));
  ASSERT_EQ(::symlinkat("../kept", dir.raw(), "a/link"), 0);
  ASSERT_EQ(::symlinkat("kept", dir.raw(), "link"), 0);
  EXPECT_TRUE(remove_tree(dir, "a"));
  EXPECT_TRUE(remove_tree(dir, "link"));
  EXPECT_FALSE(exists(dir, "a"));
  EXPECT_TRUE(exists(dir, "kept/f"));
}

TEST_F(File, RemoveTreeTakesFilesAndIsContentWithNothing) {
  put("f", "1");
  EXPECT_TRUE(remove_tree(dir, "f"));
  EXPECT_FALSE(exists(dir, "f"));
  EXPECT_TRUE(remove_tree(dir, "f"));
}

TEST_F(File, RemoveTreeIsContentWithWhatAnotherRemovesAtTheSameTime) {
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(mkdir(dir, "a", 0700));
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(mkdir(dir, cat("a/", i), 0700));
      put(cat("a/", i, "/f"), "");
    }
    const pid_t other = ::fork();
    if (other == 0) ::_exit(remove_tree(dir, "a") ? 0 : 1);
    Result<> removed = remove_tree(dir, "a");
    EXPECT_TRUE(removed) << removed.error().text;
    int status = 1;
    ASSERT_EQ(::waitpid(other, &status, 0), other);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(exists(dir, "a"));
  }
}

// A container can leave directories behind that are nested deeper than its remover has descriptors.
TEST_F(File, RemoveTreeRemovesWhatIsDeeperThanAProcessHasDescriptors) {
  ASSERT_TRUE(mkdir_parents(path + "/a/.moved-0/b", 0700));
  put("a/.moved-1", "");
  put("f", "kept");
  UniqueFd here = *open(dir, "a", O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 4000; ++i) {
    ASSERT_TRUE(mkdir(here, "d", 0700));
    UniqueFd below = *open(here, "d", O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(::symlinkat("/", below.raw(), "link"), 0);
    ASSERT_EQ(::symlinkat(path.c_str(), below.raw(), "up"), 0);
    here = std::move(below);
  }
  here.reset();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 100, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  Result<> removed = remove_tree(dir, "a");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(removed) << removed.error().text.substr(0, 300);
  EXPECT_THAT(*list_directory(dir, "."), testing::ElementsAre("f"));
}

// Each moves to the top what is too deep for it, under the eyes of the others.
TEST_F(File, RemoveTreeIsContentWithAnotherThatRemovesTheSameDeepTree) {
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(mkdir(dir, "a", 0700));
    UniqueFd here = *open(dir, "a", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(mkdir(here, "d", 0700));
      here = *open(here, "d", O_RDONLY | O_DIRECTORY);
    }
    std::vector<pid_t> others;
    for (int i = 0; i < 4; ++i) {
      others.push_back(::fork());
      if (others.back() == 0) ::_exit(remove_tree(dir, "a") ? 0 : 1);
    }
    for (const pid_t other : others) {
      int status = -1;
      ASSERT_EQ(::waitpid(other, &status, 0), other);
      EXPECT_EQ(status, 0) << "round " << round;
    }
    EXPECT_THAT(*list_directory(dir, "."), testing::IsEmpty());
  }
}

TEST_F(File, UnlinkRmdirAndRenameNameWhatTheyCouldNotDo) {
  EXPECT_EQ(unlink(dir, "x").error().text, "unlink x: No such file or directory");
  EXPECT_EQ(rmdir(dir, "x").error().text, "rmdir x: No such file or directory");
  EXPECT_EQ(rename(dir, "x", "y").error().text, "rename x to y: No such file or directory");
  put("f", "");
  EXPECT_EQ(rmdir(dir, "f").error().code, ENOTDIR);
  EXPECT_EQ(mkdir(dir, "f", 0700).error().text, "mkdir f: File exists");
  EXPECT_TRUE(rename(dir, "f", "g"));
  EXPECT_TRUE(unlink(dir, "g"));
  EXPECT_THAT(*list_directory(dir, "."), IsEmpty());
}

TEST_F(File, ListHasEveryNameButTheTwoDots) {
  put(".hidden", "");
  put("f", "");
  ASSERT_TRUE(mkdir(dir, "d", 0700));
  EXPECT_THAT(*list_directory(kCwd, path), UnorderedElementsAre(".hidden", "f", "d"));
  EXPECT_EQ(list_directory(dir, "f").error().code, ENOTDIR);
}

TEST_F(File, ExistsAndIsDirectoryFollowSymlinks) {
  ASSERT_EQ(::symlinkat("nowhere", dir.raw(), "dangling"), 0);
  ASSERT_EQ(::symlinkat(".", dir.raw(), "here"), 0);
  put("f", "");
  EXPECT_FALSE(exists(dir, "dangling"));
  EXPECT_TRUE(exists(dir, "f"));
  EXPECT_TRUE(is_directory(dir, "here"));
  EXPECT_FALSE(is_directory(dir, "f"));
  EXPECT_FALSE(is_directory(dir, "missing"));
}

TEST_F(File, StatSaysWhatTheFileIs) {
  put("f", "123", 0600);
  UniqueFd fd = *open(dir, "f", O_RDONLY);
  EXPECT_EQ(stat(dir, "f")->st_size, 3);
  EXPECT_EQ(stat_fd(fd, "f")->st_ino, stat(dir, "f")->st_ino);
  EXPECT_EQ(stat(dir, "x").error().text, "stat x: No such file or directory");
  EXPECT_EQ(stat_fd(Fd(-1), "x").error().text, "stat x: Bad file descriptor");
}

TEST_F(File, FilesystemTypeIsTheMagicNumber) {
  EXPECT_EQ(*filesystem_type("/proc"), static_cast<uint64_t>(PROC_SUPER_MAGIC));
  EXPECT_EQ(filesystem_type(path + "/x").error().code, ENOENT);
}

TEST_F(File, RealDirectoryIsAbsoluteAndWithoutSymlinks) {
  ASSERT_TRUE(mkdir_parents(path + "/a/b", 0700));
  ASSERT_EQ(::symlinkat("a/b", dir.raw(), "link"), 0);
  put("f", "");
  EXPECT_EQ(*real_directory(path + "/link/..//b/."), path + "/a/b");
  EXPECT_EQ(*real_directory(path + "/link"), path + "/a/b");
  EXPECT_EQ(*real_directory(path + "/a/b"), path + "/a/b");
  EXPECT_EQ(real_directory(path + "/f").error().code, ENOTDIR);
  EXPECT_EQ(real_directory(path + "/x").error().code, ENOENT);
}

TEST_F(File, PlainPathsAreThoseThatTheKernelWouldWrite) {
  for (const char* plain : {"/a", "/a/b.c", "/...", "/a/..b"}) EXPECT_TRUE(is_plain_path(plain));
  for (const char* other : {"", "a", "/", "/a/", "//a", "/a//b", "/a/.", "/./a", "/a/../b", "/.."})
    EXPECT_FALSE(is_plain_path(other)) << other;
}

TEST_F(File, DocumentIsReadToItsEnd) {
  put("short", "{\"a\": 1}\n");
  EXPECT_EQ(*read_document(dir, "short", '}'), "{\"a\": 1}\n");
  const std::string exact(16383, ' ');
  for (const std::string& text : {std::string(), std::string("{"), exact + "}", exact + " }",
                                  std::string(100000, ' ') + "}"}) {
    put("f", text);
    EXPECT_EQ(*read_document(dir, "f", '}'), text) << text.size();
  }
  EXPECT_EQ(read_document(dir, "f", '}', 99999).error().code, EFBIG);
  EXPECT_EQ(read_document(dir, "short", '}', 5).error().code, EFBIG);
}

// What has been written first ends as a document does.
TEST_F(File, DocumentFromAPipeIsReadToItsEnd) {
  ASSERT_EQ(::mkfifoat(dir.raw(), "pipe", 0600), 0);
  const pid_t writer = ::fork();
  if (writer == 0) {
    UniqueFd fd = *open(dir, "pipe", O_WRONLY);
    (void)write_all(fd, "pipe", "{\"a\": {}");
    // The reader has taken the first piece when it can be seen to wait for more.
    for (int left = 1; left != 0;) ::ioctl(fd.raw(), FIONREAD, &left);
    (void)write_all(fd, "pipe", "}");
    ::_exit(0);
  }
  EXPECT_EQ(*read_document(dir, "pipe", '}'), "{\"a\": {}}");
  ::waitpid(writer, nullptr, 0);
}

TEST_F(File, DocumentBehindASymlinkIsNotReadPlainly) {
  ASSERT_TRUE(mkdir_parents(path + "/a", 0700));
  put("a/f", "{}");
  ASSERT_EQ(::symlinkat("a", dir.raw(), "link"), 0);
  EXPECT_EQ(*read_document(kCwd, path + "/a/f", '}', 100, true), "{}");
  EXPECT_EQ(read_document(kCwd, path + "/link/f", '}', 100, true).error().code, ELOOP);
  EXPECT_EQ(*read_document(kCwd, path + "/link/f", '}', 100), "{}");
}

TEST_F(File, ReadLinkGivesTheTarget) {
  ASSERT_EQ(::symlinkat("some/target", dir.raw(), "link"), 0);
  EXPECT_EQ(*read_link(dir, "link"), "some/target");
  put("f", "");
  EXPECT_EQ(read_link(dir, "f").error().text, "readlink f: Invalid argument");
}

TEST_F(File, LockKeepsOthersOutUntilItIsClosed) {
  put("f", "");
  UniqueFd holder = *open(dir, "f", O_RDONLY);
  UniqueFd other = *open(dir, "f", O_RDONLY);
  ASSERT_TRUE(lock_exclusive(holder, "f"));
  EXPECT_EQ(::flock(other.raw(), LOCK_EX | LOCK_NB), -1);
  holder.reset();
  EXPECT_EQ(::flock(other.raw(), LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(lock_exclusive(Fd(-1), "f").error().text, "lock f: Bad file descriptor");
}

TEST_F(File, LockOfOthersIsNotWaitedForLongerThanAsked) {
  put("f", "");
  UniqueFd holder = *open(dir, "f", O_RDONLY);
  UniqueFd other = *open(dir, "f", O_RDONLY);
  EXPECT_TRUE(*lock_within(holder, "f", 0));
  EXPECT_TRUE(*lock_within(holder, "f", 0));  // it is this one's already
  EXPECT_FALSE(*lock_within(other, "f", 3));
  ASSERT_TRUE(unlock(holder, "f"));
  EXPECT_TRUE(*lock_within(other, "f", 0));
  EXPECT_EQ(lock_within(Fd(-1), "f", 0).error().text, "lock f: Bad file descriptor");
}

TEST_F(File, SealedMemoryHoldsItsPiecesFromOffsetZero) {
  UniqueFd fd = *sealed_memory("test", {"one", "", "two"}, false);
  EXPECT_EQ(*read_all(fd, "test"), "onetwo");
  EXPECT_EQ(::fcntl(fd.raw(), F_GETFD), FD_CLOEXEC);
}

TEST_F(File, SealedMemoryCanNeverBeChangedAgain) {
  UniqueFd fd = *sealed_memory("test", {"text"}, false);
  EXPECT_EQ(::pwrite(fd.raw(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(fd.raw(), 0), -1);
  EXPECT_EQ(::ftruncate(fd.raw(), 100), -1);
  EXPECT_EQ(::mmap(nullptr, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd.raw(), 0), MAP_FAILED);
  EXPECT_EQ(::fcntl(fd.raw(), F_ADD_SEALS, 0), -1);  // and nothing about the seals either
  // Opened anew for writing, as root could.
  UniqueFd again(::open(cat("/proc/self/fd/", fd.raw()).c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(::pwrite(again.raw(), "x", 1, 0), -1);
  EXPECT_EQ(*read_all(fd, "test"), "text");
}

TEST_F(File, SealedMemoryIsExecutableOnlyWhenAskedFor) {
  UniqueFd program = *sealed_memory("test", {"x"}, true);
  UniqueFd data = *sealed_memory("test", {"x"}, false);
  EXPECT_NE(stat_fd(program, "program")->st_mode & 0111, 0u);
  if ((stat_fd(data, "data")->st_mode & 0111) != 0)
    GTEST_SKIP() << "needs MFD_NOEXEC_SEAL of Linux 6.3";
  EXPECT_EQ(::fchmod(data.raw(), 0755), -1);
  // Nor can one that is written to later.
  UniqueFd empty = *memory_file("test");
  EXPECT_EQ(stat_fd(empty, "empty")->st_mode & 0111, 0u);
  EXPECT_EQ(::fchmod(empty.raw(), 0755), -1);
  EXPECT_EQ(::pwrite(empty.raw(), "x", 1, 0), 1);
}

// In a child, which reports what its descriptors are: "same", "null" or "closed".
std::string standard_streams_after(std::initializer_list<int> closed, bool by_opening = false) {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  pid_t child = ::fork();
  if (child == 0) {
    ino_t before[3];
    for (int fd = 0; fd < 3; ++fd) {
      UniqueFd zero = *open(kCwd, "/dev/zero", O_RDWR);
      ::dup2(zero.raw(), fd);
      before[fd] = stat_fd(Fd(fd), "fd")->st_ino;
    }
    for (int fd : closed) ::close(fd);
    const bool done = by_opening ? open(kCwd, "/dev/zero", O_RDONLY)->raw() > 2
                                 : ensure_standard_streams().has_value();
    std::string said = done ? "" : "failed ";
    const ino_t null = stat(kCwd, "/dev/null")->st_ino;
    for (int fd = 0; fd < 3; ++fd) {
      Result<struct stat> now = stat_fd(Fd(fd), "fd");
      const bool inherited = (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
      said += !now                        ? "closed"
              : now->st_ino == before[fd] ? "same"
              : now->st_ino == null       ? "null"
                                          : "other";
      said += inherited ? " " : "(close-on-exec) ";
    }
    (void)write_all(Fd(pipe[1]), "pipe", said);
    ::_exit(0);
  }
  ::close(pipe[1]);
  std::string said = *read_all(Fd(pipe[0]), "pipe");
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
  return said;
}

TEST(StandardStreams, ThatAreOpenStayAsTheyAre) {
  EXPECT_EQ(standard_streams_after({}), "same same same ");
}

TEST(StandardStreams, NoFileThatIsOpenedBecomesOne) {
  EXPECT_EQ(standard_streams_after({}, true), "same same same ");
  EXPECT_EQ(standard_streams_after({0}, true), "null same same ");
  EXPECT_EQ(standard_streams_after({1, 2}, true), "same null null ");
  EXPECT_EQ(standard_streams_after({0, 1, 2}, true), "null null null ");
}

TEST(StandardStreams, ThatWereClosedAreTheNullDevice) {
  EXPECT_EQ(standard_streams_after({0}), "null same same ");
  EXPECT_EQ(standard_streams_after({1}), "same null same ");
  EXPECT_EQ(standard_streams_after({0, 2}), "null same null ");
  EXPECT_EQ(standard_streams_after({0, 1, 2}), "null null null ");
}

}  // namespace
}  // namespace ocirt::sys
