#include "oci-spec/json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "oci-spec/documents.h"
#include "oci-spec/json/text.h"

namespace oci {
namespace {

using testing::HasSubstr;

// A configuration with these members besides the two that it needs.
std::string with(std::string_view members) {
  std::string text = R"({"ociVersion":"1.3.0","root":{"path":"rootfs"})";
  if (!members.empty()) text.append(",").append(members);
  return text + "}";
}

std::string error_of(std::string_view json) {
  const auto spec = read_config(json);
  return spec ? "accepted" : spec.error().message();
}

// The memory behind the text is not readable, so that a sanitizer sees a read beyond the end.
Result<Spec> read_exact(std::string_view text) {
  const std::vector<char> copy(text.begin(), text.end());
  return read_config({copy.data(), copy.size()});
}

TEST(Reader, NamesDocumentLineColumnAndPropertyOfAWrongValue) {
  const auto spec = read_config(
      "{\n  \"ociVersion\": \"1.3.0\",\n  \"root\": {\"path\": \"rootfs\"},\n"
      "  \"linux\": {\"resources\": {\"memory\":\n    {\"limit\":  \"1G\"}}}\n}");
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().message(),
            "config.json:5:16: linux.resources.memory.limit: expected an integer, found \"1G\"");
  EXPECT_EQ(spec.error().line, 5u);
  EXPECT_EQ(spec.error().column, 16u);
  EXPECT_EQ(spec.error().property, "linux.resources.memory.limit");
}

TEST(Reader, PointsAtElementsOfListsAndMaps) {
  EXPECT_THAT(
      error_of(with(R"("mounts":[{"destination":"/a"},{"destination":"/b","options":["ro",7]}])")),
      HasSubstr("mounts[1].options[1]: expected a string, found 7"));
  EXPECT_THAT(error_of(with(R"("annotations":{"a.b":"c","d":true})")),
              HasSubstr("annotations[\"d\"]: expected a string, found true"));
  EXPECT_THAT(error_of(with(R"("linux":{"netDevices":{"eth0":{"name":23}}})")),
              HasSubstr("linux.netDevices[\"eth0\"].name: expected a string, found 23"));
}

TEST(Reader, PointsAtTheObjectThatLacksARequiredProperty) {
  EXPECT_EQ(error_of("{\n \"root\": {\"path\": \"r\"}}"),
            "config.json:1:1: ociVersion: required, but missing");
  EXPECT_EQ(error_of("{\"ociVersion\":\"1.0.0\",\n \"root\": {}}"),
            "config.json:2:10: root.path: required, but missing");
  EXPECT_THAT(error_of(with(R"("mounts":[{"destination":"/a"},{"type":"proc"}])")),
              HasSubstr("mounts[1].destination: required, but missing"));
}

TEST(Reader, RefusesEveryWrongType) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("process":[])", "process: expected an object, found a list"},
      {R"("process":"x")", "process: expected an object, found \"x\""},
      {R"("mounts":{})", "mounts: expected a list, found an object"},
      {R"("mounts":3)", "mounts: expected a list, found 3"},
      {R"("hostname":{})", "hostname: expected a string, found an object"},
      {R"("hostname":false)", "hostname: expected a string, found false"},
      {R"("process":{"cwd":"/","terminal":1})",
       "process.terminal: expected true or false, found 1"},
      {R"("process":{"cwd":"/","user":{"uid":"0"}})",
       "process.user.uid: expected an integer, found \"0\""},
      {R"("process":{"cwd":"/","user":{"uid":true}})",
       "process.user.uid: expected an integer, found true"},
      {R"("process":{"cwd":"/","user":{"uid":1.0}})",
       "process.user.uid: expected an integer, found 1.0"},
      {R"("process":{"cwd":"/","user":{"uid":1e3}})",
       "process.user.uid: expected an integer, found 1e3"},
      {R"("process":{"cwd":"/","args":[null]})", "process.args[0]: expected a string, found null"},
      {R"("annotations":{"a":null})", "annotations[\"a\"]: expected a string, found null"},
      {R"("linux":{"namespaces":[{"type":"net"}]})",
       "linux.namespaces[0].type: expected one of cgroup, ipc, mount, network, pid, time, user, "
       "uts, found \"net\""},
      {R"("linux":{"namespaces":[{"type":3}]})", "linux.namespaces[0].type: expected one of"},
  };
  for (const auto& [members, expected] : cases) {
    EXPECT_THAT(error_of(with(members)), HasSubstr(expected));
  }
  EXPECT_THAT(error_of("[]"), HasSubstr("expected an object, found a list"));
  EXPECT_THAT(error_of("17"), HasSubstr("expected an object, found 17"));
  EXPECT_THAT(error_of("null"), HasSubstr("expected an object, found null"));
}

TEST(Reader, KeepsIntegersExactAtTheEdgesOfTheirTypes) {
  const auto spec = read_config(with(
      R"("process":{"cwd":"/","args":["a"],"rlimits":[{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":18446744073709551615}],
          "user":{"uid":4294967294,"gid":0,"umask":18}},
         "linux":{"resources":{"memory":{"limit":-1,"swap":9223372036854775807},"pids":{"limit":-9223372036854775808},
          "blockIO":{"weight":65535}}})"));
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->process->rlimits[0].hard, 18446744073709551615u);
  EXPECT_EQ(spec->process->user.uid, 4294967294u);
  EXPECT_EQ(spec->linux->resources->memory->limit, -1);
  EXPECT_EQ(spec->linux->resources->memory->swap, 9223372036854775807);
  EXPECT_EQ(spec->linux->resources->pids->limit, INT64_MIN);
  EXPECT_EQ(spec->linux->resources->block_io->weight, 65535);
}

TEST(Reader, RefusesIntegersBeyondTheirTypes) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("process":{"cwd":"/","user":{"uid":4294967296}})",
       "from 0 to 4294967294, found 4294967296"},
      // For the kernel it means "leave as it is", which is root.
      {R"("process":{"cwd":"/","user":{"uid":4294967295}})",
       "process.user.uid: expected an integer from 0 to 4294967294, found 4294967295"},
      {R"("process":{"cwd":"/","user":{"gid":4294967295}})", "process.user.gid: expected"},
      {R"("process":{"cwd":"/","user":{"additionalGids":[0,4294967295]}})",
       "process.user.additionalGids[1]: expected"},
      {R"("linux":{"devices":[{"type":"c","path":"/x","uid":4294967295}]})", "found 4294967295"},
      {R"("linux":{"devices":[{"type":"c","path":"/x","gid":4294967295}]})", "found 4294967295"},
      {R"("process":{"cwd":"/","user":{"uid":-1}})", "from 0 to 4294967294, found -1"},
      {R"("process":{"cwd":"/","user":{"uid":-0}})", "from 0 to 4294967294, found -0"},
      {R"("process":{"cwd":"/","rlimits":[{"type":"RLIMIT_CORE","hard":18446744073709551616,"soft":0}]})",
       "from 0 to 18446744073709551615, found 18446744073709551616"},
      {R"("linux":{"resources":{"pids":{"limit":9223372036854775808}}})",
       "from -9223372036854775808 to 9223372036854775807, found 9223372036854775808"},
      {R"("linux":{"resources":{"pids":{"limit":-9223372036854775809}}})",
       "found -9223372036854775809"},
      {R"("linux":{"resources":{"blockIO":{"weight":65536}}})", "from 0 to 65535, found 65536"},
      {R"("process":{"cwd":"/","scheduler":{"policy":"SCHED_RR","priority":2147483648}})",
       "from -2147483648 to 2147483647"},
      {R"("hooks":{"poststop":[{"path":"/x","timeout":0}]})",
       "hooks.poststop[0].timeout: expected an integer from 1"},
      {R"("hooks":{"poststop":[{"path":"/x","timeout":-5}]})", "found -5"},
      {R"("linux":{"devices":[{"type":"c","path":"/x","fileMode":4294967296}]})",
       "from 0 to 4294967295"},
  };
  for (const auto& [members, expected] : cases) {
    EXPECT_THAT(error_of(with(members)), HasSubstr(expected));
  }
}

TEST(Reader, TakesNullForAbsentAsGoWritersMeanIt) {
  const auto spec = read_config(with(
      R"("linux":null,"mounts":null,"hooks":null,"annotations":null,"hostname":null,
         "process":{"cwd":"/","args":["sh"],"capabilities":null,"user":null,"rlimits":null,"terminal":null})"));
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_FALSE(spec->linux);
  EXPECT_FALSE(spec->hooks);
  EXPECT_FALSE(spec->hostname);
  EXPECT_FALSE(spec->process->capabilities);
  EXPECT_FALSE(spec->process->terminal);
  EXPECT_THAT(error_of(R"({"ociVersion":null})"),
              HasSubstr("ociVersion: expected a string, found null"));
}

TEST(Reader, TakesAnEmptyOptionalStringForAbsent) {
  const auto spec = read_config(with(
      R"("hostname":"","process":{"cwd":"/","args":["",""],"apparmorProfile":"","selinuxLabel":""},
         "linux":{"rootfsPropagation":"","namespaces":[{"type":"pid","path":""}],"cgroupsPath":""},
         "annotations":{"a":""})"));
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_FALSE(spec->hostname);
  EXPECT_FALSE(spec->process->apparmor_profile);
  EXPECT_FALSE(spec->linux->rootfs_propagation);
  EXPECT_FALSE(spec->linux->namespaces[0].path);
  EXPECT_EQ(spec->process->args, (std::vector<std::string>{"", ""}));
  ASSERT_NE(spec->annotations.find("a"), nullptr);
  EXPECT_EQ(*spec->annotations.find("a"), "");
}

TEST(Reader, DistinguishesEmptyObjectsFromAbsentOnes) {
  const auto spec = read_config(with(
      R"("hooks":{},"linux":{"resources":{}},"process":{"cwd":"/","args":["a"],"capabilities":{}})"));
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_TRUE(spec->hooks);
  EXPECT_TRUE(spec->linux->resources);
  EXPECT_TRUE(spec->process->capabilities);
}

TEST(Reader, IgnoresUnknownPropertiesWithAllThatIsInThem) {
  const auto spec = read_config(with(
      R"("windows":{"layerFolders":[1,{"ociVersion":7,"root":null}],"x":[[[{}]]]},"vm":{"a":[]},
         "root2":1.5e300,"linux":{"intelRdt":{"enableCMT":true},"new":["\ud800"]})"));
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->root->path, "rootfs");
  EXPECT_TRUE(spec->linux->intel_rdt);
}

// As Go's reader does, by which runc and engines read.
TEST(Reader, TakesNamesInAnyCaseOfTheirLetters) {
  const auto spec = read_config(with(
      R"("linux":{"resources":{"CPU":{"Cpus":"0-1","SHARES":100},"unified":{"CPU.max":"1 2"}}})"));
  ASSERT_TRUE(spec) << spec.error().message();
  const Resources& resources = *spec->linux->resources;
  EXPECT_EQ(resources.cpu->cpus, "0-1");
  EXPECT_EQ(resources.cpu->shares, 100u);
  EXPECT_NE(resources.unified.find("CPU.max"), nullptr);  // free names are as they are
}

TEST(Document, NamesOfItArePartsOfItsTextInAnyCaseOrEscaped) {
  EXPECT_TRUE(json::may_name(R"({"poststop": []})", "poststop"));
  EXPECT_TRUE(json::may_name(R"({"PoStStop": []})", "poststop"));
  EXPECT_TRUE(json::may_name(R"({"ListenerPath": ""})", "listenerPath"));
  EXPECT_TRUE(json::may_name(R"({"\u0070oststop": []})", "poststop"));
  EXPECT_FALSE(json::may_name(R"({"poststart": [], "POSTSTO": 1})", "poststop"));
  EXPECT_FALSE(json::may_name("", "poststop"));
}

// As Go's reader: an object goes on where the one before it ended, anything else is replaced. What
// an engine has looked at must be what runs.
TEST(Reader, LetsTheLastOfEqualKeysWin) {
  const auto spec = read_config(
      R"({"ociVersion":"0.1.0","ociVersion":"1.2.1","root":{"path":"a","readonly":true},"root":{"path":"b","readonly":null},
          "mounts":[{"destination":"/a"}],"mounts":[{"destination":"/b"}],
          "process":{"cwd":"/","args":["a"],"user":{"uid":5},"user":{"gid":7},
                     "noNewPrivileges":true,"noNewPrivileges":null,
                     "apparmorProfile":"p","apparmorProfile":null,
                     "oomScoreAdj":5,"oomScoreAdj":null,"rlimits":[],"rlimits":null},
          "linux":{},"linux":null,
          "annotations":{"k":"1","other":"x","k":"2","k":"3"}})");
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->oci_version, "1.2.1");
  EXPECT_EQ(spec->root->path, "b");
  EXPECT_EQ(spec->root->readonly, true);
  ASSERT_EQ(spec->mounts.size(), 1u);
  EXPECT_EQ(spec->mounts[0].destination, "/b");
  EXPECT_EQ(spec->process->user, (User{.uid = 5, .gid = 7}));
  // Null takes away what is a pointer in Go, and leaves anything else as it was.
  EXPECT_EQ(spec->process->no_new_privileges, true);
  EXPECT_EQ(spec->process->apparmor_profile, "p");
  EXPECT_FALSE(spec->process->oom_score_adj);
  EXPECT_FALSE(spec->linux);
  Map<std::string> expected;
  expected.set("other", "x");
  expected.set("k", "3");
  EXPECT_EQ(spec->annotations, expected);
}

TEST(Reader, TakesTwoSpellingsOfANameForOneProperty) {
  const auto spec = read_config(with(
      R"("linux":{"resources":{"cpu":{"shares":100,"cpus":"0"},"pids":{"limit":5}},
                  "maskedPaths":["/a","/b"],"sysctl":{"a":"1","b":"2"}},
         "Linux":{"Resources":{"CPU":{"Shares":200,"quota":7},"Memory":{"limit":9}},
                  "MaskedPaths":["/c"],"Sysctl":{"b":"3"}})"));
  ASSERT_TRUE(spec) << spec.error().message();
  const Resources& resources = *spec->linux->resources;
  EXPECT_EQ(resources.cpu->shares, 200u);
  EXPECT_EQ(resources.cpu->cpus, "0");
  EXPECT_EQ(resources.cpu->quota, 7);
  ASSERT_TRUE(resources.pids);
  EXPECT_EQ(resources.pids->limit, 5);
  ASSERT_TRUE(resources.memory);
  EXPECT_EQ(resources.memory->limit, 9);
  EXPECT_EQ(spec->linux->masked_paths, std::vector<std::string>{"/c"});
  Map<std::string> sysctl;
  sysctl.set("a", "1");
  sysctl.set("b", "3");
  EXPECT_EQ(spec->linux->sysctl, sysctl);
}

// Neither takes away what the other has to have, nor does null.
TEST(Reader, AsksForRequiredPropertiesOfTheFirstOfEqualKeys) {
  EXPECT_TRUE(
      read_config(R"({"ociVersion":"1.2.1","root":{"path":"a"},"Root":{"readonly":true}})"));
  EXPECT_THAT(error_of(R"({"ociVersion":"1.2.1","root":{"readonly":true},"Root":{"path":"a"}})"),
              HasSubstr("root.path: required, but missing"));
  EXPECT_THAT(error_of(R"({"ociVersion":"1.2.1","root":{"path":"a"},"root":null,"root":{}})"),
              HasSubstr("root.path: required, but missing"));
}

TEST(Reader, KeepsTheOrderOfMaps) {
  const auto spec = read_config(with(R"("annotations":{"z":"1","a":"2","m":"3"})"));
  ASSERT_TRUE(spec) << spec.error().message();
  ASSERT_EQ(spec->annotations.size(), 3u);
  EXPECT_EQ(spec->annotations[0].first, "z");
  EXPECT_EQ(spec->annotations[2].first, "m");
}

TEST(Reader, RefusesBrokenSyntaxWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"{]", "config.json:1:2: not valid JSON"},
      {"{\n \"a\": 1,,}", "config.json:2:9: not valid JSON"},
      {"{\"a\" 1}", "config.json:1:6: not valid JSON"},
      {"{\"a\": nul}", "config.json:1:7: not valid JSON"},
      {"{'a': 1}", "config.json:1:2: not valid JSON"},
      {"{\"a\": 01}", "not valid JSON"},
      {"{\"a\": +1}", "not valid JSON"},
      {"{\"a\": \"\\x\"}", "not valid JSON"},
      {"{\"a\": \"\n\"}", "not valid JSON"},
      {"{/* comment */}", "not valid JSON"},
      {"{\"a\": [1}", "not valid JSON"},
      {"{\"a\": [1,]}", "not valid JSON"},
      {"\xEF\xBB\xBF{}", "not valid JSON"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_THAT(error_of(text), HasSubstr(expected)) << text;
  EXPECT_THAT(error_of(with("") + " x"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(with("") + "{}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(with("") + " // comment"), HasSubstr("not valid JSON"));
}

TEST(Reader, RefusesAnEmptyDocument) {
  EXPECT_EQ(error_of(""), "config.json:1:1: the document is empty, expected a JSON object");
  EXPECT_THAT(error_of(" \n\t "), HasSubstr("the document is empty"));
}

TEST(Reader, RefusesAConfigurationThatEndsEarlyAtEveryByte) {
  const std::string text = write(default_spec(true, 1000, 1000), false);
  ASSERT_TRUE(read_exact(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto spec = read_exact(std::string_view(text).substr(0, size));
    ASSERT_FALSE(spec) << size;
    ASSERT_EQ(spec.error().line, 1u);
    ASSERT_LE(spec.error().column, size + 1);
  }
  EXPECT_THAT(error_of(text.substr(0, text.size() - 1)), HasSubstr("the text ends before"));
}

TEST(Reader, NeverAcceptsOrCrashesOnAConfigurationWithOneByteReplaced) {
  const std::string text = write(default_spec(false), false);
  for (const char c : {'\0', '"', '{', '}', '[', ',', '\\', '9', '-', '\xFF'}) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string changed = text;
      changed[at] = c;
      const auto spec = read_exact(changed);
      if (!spec) {
        ASSERT_FALSE(spec.error().text.empty());
        continue;
      }
      const auto again = read_config(write(*spec, false));
      ASSERT_TRUE(again) << again.error().message();
      ASSERT_EQ(*again, *spec);
    }
  }
}

TEST(Reader, RefusesDocumentsThatAreTooLarge) {
  std::string text = with("");
  text.append(kMaxDocumentSize + 1 - text.size(), ' ');
  EXPECT_THAT(error_of(text), HasSubstr("more than the limit of 16777216"));
  text.pop_back();
  EXPECT_TRUE(read_config(text));
}

TEST(Reader, RefusesDocumentsThatAreNestedTooDeep) {
  const auto nested = [](unsigned levels) {
    return with("\"x\":" + std::string(levels, '[') + std::string(levels, ']'));
  };
  EXPECT_TRUE(read_config(nested(kMaxDepth - 1)));
  EXPECT_THAT(error_of(nested(kMaxDepth)), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(error_of(std::string(1u << 20, '[')), HasSubstr("expected an object"));
  EXPECT_THAT(error_of("{\"x\":" + std::string(1u << 20, '[')), HasSubstr("nested deeper"));
}

TEST(Reader, RefusesNulInTextThatIsUsed) {
  EXPECT_THAT(error_of(with(R"("process":{"cwd":"/","args":["a\u0000b"]})")),
              HasSubstr("process.args[0]: a string must not contain \\u0000"));
  EXPECT_THAT(error_of(with(R"("annotations":{"a\u0000":"b"})")),
              HasSubstr("annotations: a string must not contain \\u0000"));
  EXPECT_THAT(error_of(with("\"hostname\":\"a") + std::string(1, '\0') + "\""),
              HasSubstr("not valid JSON"));
}

TEST(Reader, RefusesTextThatIsNotUtf8) {
  const char* const bad[] = {"\xFF",
                             "\xC0\x80",
                             "\xC1\xBF",
                             "\xE0\x80\x80",
                             "\xED\xA0\x80",
                             "\xF0\x80\x80\x80",
                             "\xF4\x90\x80\x80",
                             "\xF5\x80\x80\x80",
                             "\xC3",
                             "\xE2\x82",
                             "\x80"};
  for (const char* text : bad) {
    EXPECT_THAT(error_of(with(std::string("\"hostname\":\"") + text + "\"")),
                HasSubstr("the text is not valid UTF-8"));
  }
  const auto spec =
      read_config(with("\"annotations\":{\"\xC3\xA9\":\"\xE2\x82\xAC \xF0\x9F\x98\x80\"}"));
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(*spec->annotations.find("\xC3\xA9"), "\xE2\x82\xAC \xF0\x9F\x98\x80");
}

TEST(Reader, UnderstandsEscapesAndRefusesHalvesOfSurrogatePairs) {
  const auto spec = read_config(with(
      R"("annotations":{"a\tb":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00","c":"\\ud800"})"));
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(*spec->annotations.find("a\tb"),
            "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(*spec->annotations.find("c"), "\\ud800");
  for (const char* bad :
       {R"(\ud800)", R"(\udc00)", R"(\ud800\ud800)", R"(\ud800x)", R"(\\\ud800)", R"(\ud800\n)"}) {
    EXPECT_THAT(error_of(with(std::string("\"annotations\":{\"a\":\"") + bad + "\"}")),
                HasSubstr("half of a surrogate pair"))
        << bad;
  }
}

TEST(Reader, KeepsControlCharactersAndLongTextOutOfMessages) {
  const std::string message = error_of(
      with("\"linux\":{\"rootfsPropagation\":\"\\u001b[31m\\n" + std::string(5000, 'x') + "\"}"));
  EXPECT_LT(message.size(), 400u);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(Reader, IsNotQuadraticInTheNumberOfMapEntries) {
  std::string members = "\"annotations\":{";
  for (int i = 0; i < 200000; ++i) {
    members +=
        (i == 0 ? "\"k" : ",\"k") + std::to_string(i % 100000) + "\":\"" + std::to_string(i) + "\"";
  }
  const auto spec = read_config(with(members + "}"));
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->annotations.size(), 100000u);
  EXPECT_EQ(spec->annotations[0].second, "100000");
}

TEST(Reader, RefusesASyscallRuleWithoutNames) {
  EXPECT_THAT(
      error_of(with(
          R"("linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_ERRNO"}]}})")),
      HasSubstr("linux.seccomp.syscalls[0].names: must have at least 1 element"));
}

TEST(Reader, PointsValidateErrorsAtTheirPlaceInTheText) {
  EXPECT_EQ(
      error_of("{\"ociVersion\":\"1.0.0\",\n\"root\":{\"path\":\"r\"},\n\"linux\":{\"namespaces\":"
               "[{\"type\":\"pid\"},\n  {\"type\":\"ipc\",\"path\":\"x\"}]}}"),
      "config.json:4:24: linux.namespaces[1].path: must be an absolute path");
  EXPECT_THAT(error_of(with("\n\"linux\":{\"sysctl\":{\"net.a\":\"[\\\"]\",\n \"a..b\":\"1\"}}")),
              HasSubstr("config.json:3:9: linux.sysctl[\"a..b\"]:"));
  // Of two the last counts; an absent one is reported at what it is absent from.
  EXPECT_THAT(error_of("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\n\"hostname\":\"a\","
                       "\n\"hostname\":\"b\"}"),
              HasSubstr("config.json:3:12: hostname"));
  EXPECT_THAT(error_of("{\n\"ociVersion\":\"1.0.0\"}"),
              HasSubstr("config.json:1:1: root: required"));
}

}  // namespace
}  // namespace oci
