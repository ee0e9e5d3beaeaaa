// Links in an image at places where a runtime makes, removes or opens something of its own while
// the host's root is still its root: /dev and what is in it, and the working directory. Engines
// mount a tmpfs at /dev; here nothing is, so that the image's own names are used.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fixture.h"
#include "tests/support/terminal.h"

namespace harness {
namespace {

class ImageLink : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (IsSkipped()) return;
    host_ = scratch() + "/host";
    make_directories(host_);
    for (const char* name : {"ptmx", "console", "null", "fd", "of-the-host"})
      write_file(host_ + "/" + name, "secret\n");
    for (const char* mount : {"/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"})
      bundle.without_mount(mount);
    bundle.shell("echo written; echo written >/dev/null; echo written >/dev/console; true");
  }

  void link(const std::string& target, const std::string& inside) {
    const std::string path = bundle.rootfs(inside);
    remove_tree(path);
    ASSERT_EQ(0, symlink(target.c_str(), path.c_str()));
  }
  // As an image would say it: from the root, and by climbing.
  std::vector<std::string> ways(const std::string& name) const {
    return {host_ + name, "../../../../../../../../../.." + host_ + name};
  }
  void expect_untouched() {
    EXPECT_EQ((std::vector<std::string>{"console", "fd", "null", "of-the-host", "ptmx"}),
              names_in(host_));
    for (const std::string& name : names_in(host_)) {
      struct stat status{};
      const std::string path = host_ + "/" + name;
      EXPECT_TRUE(lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) << name;
      EXPECT_EQ("secret\n", read_file(path)) << name;
    }
  }
  // Whether it works or is refused is not the question.
  void create_with_terminal() {
    bundle.set("process.terminal", "true");
    ConsoleSocket socket(scratch() + "/socket");
    Container container(runtime, bundle);
    if (container.create({"--console-socket", socket.path()}).ok()) {
      Terminal terminal(socket.receive());
      (void)container.start();
      container.wait_for_exit();
    }
    unlink((scratch() + "/socket").c_str());
    bundle.set("process.terminal", "false");
  }

  std::string host_;
};

// CVE-2026-41579: the runtime removed ptmx there, and made its links.
TEST_F(ImageLink, InPlaceOfTheDeviceDirectoryChangesNothingOfTheHost) {
  for (const bool with_pts : {false, true}) {
    if (with_pts) bundle.mount("/dev/pts", "devpts", "devpts", {"newinstance", "ptmxmode=0666"});
    for (const std::string& target : ways("")) {
      link(target, "/dev");
      (void)Container(runtime, bundle).run();
      create_with_terminal();
      expect_untouched();
    }
  }
}

// CVE-2026-88265: standard streams became what the image says that /dev/null is. CVE-2026-88264:
// /dev/console was made where a link of the image leads.
TEST_F(ImageLink, InPlaceOfADeviceLeadsNowhereOnTheHost) {
  for (const char* device : {"null", "console", "ptmx", "fd", "stdout"}) {
    for (const char* victim : {"/of-the-host", "/made-by-the-runtime"}) {
      for (const std::string& target : ways(victim)) {
        remove_tree(bundle.rootfs("/dev"));
        bundle.directory("/dev");
        link(target, std::string("/dev/") + device);
        Container container(runtime, bundle);
        bundle.save(container.id());
        Command command = runtime.command({"run", "--bundle", bundle.path(), container.id()});
        const Args closing = {"sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"};
        command.argv.insert(command.argv.begin(), closing.begin(), closing.end());
        (void)run_command(command);
        if (device == std::string_view("console")) create_with_terminal();
        expect_untouched();
      }
    }
  }
}

// CVE-2026-55686, of an engine: a working directory that is missing was made behind a link.
TEST_F(ImageLink, OnTheWayToTheWorkingDirectoryMakesNoneOnTheHost) {
  for (const std::string& target : ways("")) {
    link(target, "/work");
    for (const char* cwd : {"/work", "/work/new", "/work/new/deep"}) {
      bundle.set("process.cwd", std::string("\"") + cwd + "\"").shell("pwd; touch touched");
      (void)Container(runtime, bundle).run();
      expect_untouched();
    }
  }
}

}  // namespace
}  // namespace harness
