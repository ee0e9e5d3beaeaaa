// config.md, "Mounts": where they are made, by which links and over what, and which are errors.
#include <unistd.h>

#include <cctype>
#include <cerrno>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class MountDestinations : public ContainerTest {
 protected:
  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }
};

TEST_F(MountDestinations, MakeADestinationWithItsMissingParents) {
  SPEC("config.md#mounts",
       "destination: if it does not exist, the runtime creates it (runtimes agree on this).");
  write_file(scratch() + "/file", "file\n");
  bundle.mount("/a/b/c", "tmpfs", "tmpfs", {});
  bundle.mount("/d/e/f.txt", "bind", scratch() + "/file", {"bind"});
  EXPECT_EQ("file\n", run_shell("test -d /a/b/c && cat /d/e/f.txt"));
}

TEST_F(MountDestinations, WithARelativeDestinationAreRelativeToTheRoot) {
  SPEC("config.md#mounts",
       "For compatibility, runtimes MAY interpret relative destinations as relative to \"/\".");
  NEEDS_VERSION("1.2");
  bundle.mount("x/y", "tmpfs", "tmpfs", {});
  bundle.shell("cat /proc/self/mountinfo");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  ASSERT_OK(outcome);
  EXPECT_EQ("tmpfs", mount_at(parse_mountinfo(outcome.out), "/x/y").type);
}

TEST_F(MountDestinations, OnSymbolicLinksWithoutATargetMakeTheTarget) {
  // As /etc/resolv.conf is in images whose resolver runs as a service.
  const std::string victim = scratch() + "/victim";
  write_file(scratch() + "/source", "mounted\n");
  bundle.directory("/links");
  for (const auto& [name, target] : {std::pair{"relative", "../made/one/file"},
                                     {"absolute", "/made/two/file"},
                                     {"twice", "absolute-two"},
                                     {"absolute-two", "/made/three/file"},
                                     {"directory", "../made/four"}})
    ASSERT_EQ(0, symlink(target, bundle.rootfs(std::string("/links/") + name).c_str()));
  ASSERT_EQ(0, symlink((std::string("../../../../../..") + victim + "/file").c_str(),
                       bundle.rootfs("/links/out").c_str()));
  const std::string source = scratch() + "/source";
  for (const char* name : {"relative", "absolute", "twice", "directory/file", "out"})
    bundle.mount(std::string("/links/") + name, "bind", source.c_str(), {"bind"});
  EXPECT_EQ("mounted\nmounted\nmounted\nmounted\nmounted\n",
            run_shell("cat /made/one/file /made/two/file /made/three/file /made/four/file " +
                      victim + "/file"));
  EXPECT_FALSE(exists(victim));
}

TEST_F(MountDestinations, OnSymbolicLinksThatLeadNowhereForEverAreRefused) {
  bundle.directory("/links");
  for (int i = 0; i < 12; ++i)
    ASSERT_EQ(0, symlink(std::to_string(i + 1).c_str(),
                         bundle.rootfs("/links/" + std::to_string(i)).c_str()));
  bundle.mount("/links/0", "bind", "/dev/null", {"bind"}).shell("echo ran");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.run(), 1, "a symbolic link without a target is in the way");
}

TEST_F(MountDestinations, DestinationsThatLeadOutBySymbolicLinksStayInside) {
  // CVE-2019-16884 and its kin: a link of the image must be resolved in the image.
  const std::string victim = scratch() + "/victim";
  make_directories(victim);
  const std::string up = "../../../../../../../../../..";
  ASSERT_EQ(0, symlink((up + victim).c_str(), bundle.rootfs("/relative").c_str()));
  ASSERT_EQ(0, symlink(victim.c_str(), bundle.rootfs("/absolute").c_str()));
  bundle.mount("/relative/new", "tmpfs", "tmpfs", {});
  bundle.mount("/absolute", "tmpfs", "tmpfs", {});
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.create();
  EXPECT_TRUE(names_in(victim).empty()) << "the runtime made something outside the rootfs";
  EXPECT_EQ(std::string::npos, read_file("/proc/self/mountinfo").find(victim + " "));
}

TEST_F(MountDestinations, ADestinationThroughALinkInsideIsFollowed) {
  bundle.directory("/real");
  ASSERT_EQ(0, symlink("/real", bundle.rootfs("/link").c_str()));
  bundle.mount("/link", "tmpfs", "tmpfs", {});
  EXPECT_EQ("tmpfs", mount_at(mounts_inside(), "/real").type);
}

TEST_F(MountDestinations, DotDotInADestinationStaysInside) {
  bundle.mount("/../../x", "tmpfs", "tmpfs", {});
  EXPECT_EQ("tmpfs", mount_at(mounts_inside(), "/x").type);
}

TEST_F(MountDestinations, ProcIsNotMountedThroughASymbolicLink) {
  // A link at /proc could hide the masked paths (CVE-2019-16884).
  ASSERT_EQ(0, rmdir(bundle.rootfs("/proc").c_str()));
  bundle.directory("/elsewhere");
  ASSERT_EQ(0, symlink("/elsewhere", bundle.rootfs("/proc").c_str()));
  Container container(runtime, bundle);
  EXPECT_EQ(1, container.create().code);
}

TEST_F(MountDestinations, NothingIsMountedOverProc) {
  bundle.directory("/fake");
  bundle.mount("/proc/self", "tmpfs", "tmpfs", {});
  Container container(runtime, bundle);
  const Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code) << outcome;
}

TEST_F(MountDestinations, AnAbsentSourceIsAnErrorThatNamesIt) {
  bundle.mount("/x", "bind", scratch() + "/absent", {"bind"});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, scratch() + "/absent");
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(MountDestinations, OfAFileOverADirectoryAndTheReverseAreErrorsThatSayWhy) {
  // moby looks for these words and explains.
  write_file(scratch() + "/file", "");
  bundle.directory("/x").file("/f", "");
  bundle.mount("/x", "bind", scratch() + "/file", {"bind"});
  Container container(runtime, bundle);
  Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code);
  EXPECT_SAYS(lower(outcome.err), "not a directory");
  bundle.without_mount("/x").mount("/f", "bind", scratch(), {"bind"});
  outcome = container.create();
  EXPECT_EQ(1, outcome.code);
  EXPECT_SAYS(lower(outcome.err), "not a directory");
}

TEST_F(MountDestinations, AnUnknownFileSystemIsAnErrorThatNamesTheMount) {
  bundle.mount("/x", "nosuchfs", "nosuchfs", {});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "/x");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(MountDestinations, AnUnknownOptionGoesToTheFileSystemWhoseErrorNamesTheMount) {
  bundle.mount("/x", "tmpfs", "tmpfs", {"nosuchoption"});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "/x");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

}  // namespace
}  // namespace harness
