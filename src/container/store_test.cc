#include "src/container/store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "src/container/stand_in.h"

namespace ocirt::container {
namespace {

using StoreTest = StandIn;

TEST(Id, MayHaveLettersDigitsAndFourOtherCharacters) {
  for (std::string id : {std::string("c1"), std::string("A_b+c.d-e"), std::string("..."),
                         std::string("-"), std::string(255, 'x')}) {
    EXPECT_TRUE(check_id(id)) << id;
  }
}

TEST(Id, ThatCouldNotNameADirectorySafelyIsRefused) {
  for (std::string id :
       {std::string(""), std::string("."), std::string(".."), std::string("a/b"),
        std::string("../x"), std::string("a b"), std::string("a\0b", 3), std::string("\xc3\xa4"),
        std::string("a\n"), std::string("a:b"), std::string(256, 'x'), std::string(2000, 'x')}) {
    Result<> checked = check_id(id);
    ASSERT_FALSE(checked) << id;
    EXPECT_TRUE(checked.error().text.starts_with("invalid container ID format: "));
    EXPECT_LT(checked.error().text.size(), 400u);
  }
}

TEST_F(StoreTest, RootIsMadePrivateAndOnlyWhenAskedFor) {
  std::string deep = root + "/a/b";
  Result<Store> missing = Store::open(deep, false);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ENOENT);
  ASSERT_TRUE(Store::open(deep, true));
  EXPECT_EQ(sys::stat(sys::kCwd, deep)->st_mode & 07777, 0700u);
  ASSERT_TRUE(Store::open(deep, false));
}

TEST_F(StoreTest, RootOfTheFileSystemIsRefused) {
  for (const char* name : {"/", "//", "/tmp/..", ""}) EXPECT_FALSE(Store::open(name, true)) << name;
}

TEST_F(StoreTest, DirectoriesOfPodsInTheDefaultRootAreNoContainers) {
  const Store here = *Store::open(root + "/ocirt", true);
  for (const char* name : {"pods", "network"}) {
    ASSERT_TRUE(sys::mkdir(here.fd(), name, 0700));
    EXPECT_EQ(here.find(name, Store::Lock::none).error().code, ENOENT) << name;
    EXPECT_TRUE(here.create(name).error().text.contains("a directory of ocirt-pod")) << name;
  }
  EXPECT_TRUE(here.ids()->empty());
  EXPECT_TRUE(Store::open(root + "/other", true)->create("pods"));
}

TEST_F(StoreTest, OfANewDirectoryTheLastWholeVersionCounts) {
  NewDirectory made = *store.create("c1");
  const Directory& directory = made.directory();
  EXPECT_EQ(directory.read().error().code, ENOENT);  // nothing is written yet
  ASSERT_TRUE(made.write(record_of("c1", 0)));
  EXPECT_EQ(directory.read()->pid, 0);
  ASSERT_TRUE(made.write(record_of("c1", 7)));
  EXPECT_EQ(directory.read()->pid, 7);
  // One that is being written, or was when its writer was killed.
  UniqueFd file = *sys::open(directory.fd(), "state.json", O_WRONLY | O_APPEND);
  ASSERT_TRUE(sys::write_all(file, "state.json", R"({"version":1,"container":{"pid)"));
  EXPECT_EQ(directory.read()->pid, 7);
  ASSERT_TRUE(directory.write(record_of("c1", 8)));
  EXPECT_EQ(directory.read()->pid, 8);
}

TEST_F(StoreTest, ARecordWithoutVersionsIsRead) {
  NewDirectory made = *store.create("c1");
  const Directory& directory = made.directory();
  ASSERT_TRUE(sys::write_file_atomically(directory.fd(), "state.json", "new",
                                         write_record(record_of("c1", 9)), 0600));
  EXPECT_EQ(directory.read()->pid, 9);
}

TEST_F(StoreTest, ConfigComesWithTheFirstVersionAndStays) {
  NewDirectory made = *store.create("c1");
  const std::string json = "{\n  \"a\": \"b\\n\",\r\n  \"c\": {}\n}\n";
  const std::string same = "{   \"a\": \"b\\n\",    \"c\": {} } ";
  ASSERT_TRUE(made.write_first(record_of("c1", 0), json));
  const Directory& directory = made.directory();
  EXPECT_EQ(*directory.config(), same);
  ASSERT_TRUE(made.write(record_of("c1", 7)));
  std::string config;
  EXPECT_EQ(directory.read(&config)->pid, 7);
  EXPECT_EQ(config, same);
  EXPECT_EQ(*directory.config(), same);
}

TEST_F(StoreTest, ConfigOfEarlierVersionsIsAFileOfItsOwn) {
  add("c1", 3);
  EXPECT_EQ(find("c1").config().error().code, ENOENT);
  write_file("c1", "config.json", "{}");
  EXPECT_EQ(*find("c1").config(), "{}");
  std::string config = "x";
  EXPECT_EQ(find("c1").read(&config)->pid, 3);
  EXPECT_EQ(config, "");
}

TEST_F(StoreTest, ConfigAloneIsNoRecord) {
  store.create("c1")->commit();
  write_file("c1", "state.json", "{\"config\":{}}\n");
  EXPECT_EQ(find("c1").read().error().text,
            "container c1 is half created: its state.json is missing");
}

TEST_F(StoreTest, NewDirectoryIsPrivateAndStaysOnlyWhenCommitted) {
  {
    NewDirectory made = *store.create("c1");
    EXPECT_EQ(sys::stat(store.fd(), "c1")->st_mode & 07777, 0700u);
    ASSERT_TRUE(made.directory().write(record_of("c1", 0)));
  }
  EXPECT_FALSE(in_store("c1"));
  {
    NewDirectory made = *store.create("c1");
    made.commit();
  }
  EXPECT_TRUE(in_store("c1"));
}

TEST_F(StoreTest, MovedDirectoryIsRemovedOnceAndByItsLastOwner) {
  NewDirectory kept = [&] {
    NewDirectory made = *store.create("c1");
    return NewDirectory(std::move(made));
  }();
  EXPECT_TRUE(in_store("c1"));
  EXPECT_EQ(kept.directory().id(), "c1");
}

TEST_F(StoreTest, TakenIdIsRefusedAndItsOwnerUntouched) {
  Record record = add("c1", ::getpid());
  Result<NewDirectory> second = store.create("c1");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text, "container with given ID already exists");
  EXPECT_EQ(*find("c1").read(), record);
}

TEST_F(StoreTest, UnknownIdDoesNotExist) {
  for (Store::Lock lock : {Store::Lock::none, Store::Lock::exclusive}) {
    Result<Directory> found = store.find("nobody", lock);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ENOENT);
    EXPECT_EQ(found.error().text, "container nobody does not exist");
  }
}

TEST_F(StoreTest, LinkInTheRootIsNotFollowed) {
  ASSERT_EQ(::symlink("/tmp", (root + "/c1").c_str()), 0);
  EXPECT_FALSE(store.find("c1", Store::Lock::none));
}

TEST_F(StoreTest, DirectoryWithoutRecordIsHalfCreated) {
  store.create("c1")->commit();
  Result<Record> read = find("c1").read();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ENOENT);
  EXPECT_EQ(read.error().text, "container c1 is half created: its state.json is missing");
}

TEST_F(StoreTest, DirectoryThatWasDeletedMeanwhileDoesNotExist) {
  add("c1", 0);
  Directory held = find("c1");
  ASSERT_TRUE(store.remove(find("c1")));
  Result<Record> read = held.read();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().text, "container c1 does not exist");
}

TEST_F(StoreTest, RootThatCannotBeMadeIsNotTakenForAMissingCommand) {
  Result<Store> opened = Store::open("/proc/1/ocirt", true);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().text.find("No such file"), std::string::npos) << opened.error().text;
}

TEST_F(StoreTest, RecordIsReplacedAsAWhole) {
  Record record = add("c1", 0);
  UniqueFd before = *sys::open(store.fd(), "c1/state.json", O_RDONLY);
  record.pid = 7;
  ASSERT_TRUE(find("c1").write(record));
  EXPECT_EQ(find("c1").read()->pid, 7);
  // Who had it open still reads the old one.
  EXPECT_EQ(read_record(*sys::read_all(before, "old"))->pid, 0);
  EXPECT_EQ(sys::list_directory(store.fd(), "c1")->size(), 1u);
}

TEST_F(StoreTest, RemovesDirectoriesWithAllThatIsInThem) {
  add("c1", 0);
  write_file("c1", "config.json", "{}");
  UniqueFd socket = *sys::listen_at(find("c1").fd(), "start");
  ASSERT_TRUE(store.remove(find("c1")));
  EXPECT_FALSE(in_store("c1"));
}

TEST_F(StoreTest, IdsAreSortedAndOthersThanContainersLeftOut) {
  for (const char* id : {"b", "a", "c"}) add(id, 0);
  (void)*sys::open(store.fd(), "file", O_WRONLY | O_CREAT, 0600);
  ASSERT_TRUE(sys::mkdir(store.fd(), "not an id", 0700));
  EXPECT_EQ(*store.ids(), (std::vector<std::string>{"a", "b", "c"}));
}

// Runs `act` in `count` processes at once; how many returned true.
template <class Act>
int successes(int count, Act act) {
  int gate[2];
  EXPECT_EQ(::pipe(gate), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    pid_t child = ::fork();
    if (child == 0) {
      ::close(gate[1]);
      char byte;
      (void)!::read(gate[0], &byte, 1);  // all wait for the end of file
      ::_exit(act(i) ? 0 : 1);
    }
    children.push_back(child);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  int good = 0;
  for (pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    good += status == 0;
  }
  return good;
}

TEST_F(StoreTest, OneOfManyThatCreateTheSameIdWins) {
  for (int round = 0; round < 20; ++round) {
    std::string id = cat("c", round);
    int winners = successes(16, [&](int i) {
      Result<NewDirectory> made = store.create(id);
      if (!made) return false;
      Record record = record_of(id, 0);
      record.owner = static_cast<uint32_t>(i);
      if (!made->directory().write(record)) return false;
      made->commit();
      return true;
    });
    EXPECT_EQ(winners, 1) << id;
    EXPECT_TRUE(find(id).read());
  }
}

TEST_F(StoreTest, CreatorsAndRemoversOfOneIdNeverShareIt) {
  // Each creator fills its directory and looks whether it is still its own; removers take away
  // whatever they find. The lock has to keep a remover from a directory that is being filled.
  int good = successes(16, [&](int i) {
    for (int round = 0; round < 50; ++round) {
      if (i % 2 == 0) {
        Result<NewDirectory> made = store.create("c1");
        if (!made) {
          if (made.error().code != EEXIST) return false;
          continue;
        }
        Record record = record_of("c1", 0);
        record.owner = static_cast<uint32_t>(i);
        if (!made->directory().write(record)) return false;
        Result<Record> back = made->directory().read();
        if (!back || back->owner != record.owner) return false;
        made->commit();
      } else {
        Result<Directory> found = store.find("c1", Store::Lock::exclusive);
        if (!found) {
          if (found.error().code != ENOENT) return false;
          continue;
        }
        if (!store.remove(*found)) return false;
      }
    }
    return true;
  });
  EXPECT_EQ(good, 16);
}

TEST_F(StoreTest, ExclusiveHoldersExcludeEachOther) {
  add("c1", 0);
  // Adds one to a number in a file, 16 processes at once.
  write_file("c1", "number", "0");
  int good = successes(16, [&](int) {
    for (int round = 0; round < 20; ++round) {
      Result<Directory> held = store.find("c1", Store::Lock::exclusive);
      if (!held) return false;
      int number = *to_number<int>(*sys::read_file(held->fd(), "number"));
      write_file("c1", "number", cat(number + 1));
    }
    return true;
  });
  EXPECT_EQ(good, 16);
  EXPECT_EQ(*sys::read_file(find("c1").fd(), "number"), "320");
}

}  // namespace
}  // namespace ocirt::container
