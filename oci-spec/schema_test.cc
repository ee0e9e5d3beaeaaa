// The rows against the JSON schemas of the specification: a property that is missing here, or that
// was invented here, fails, and so does a type, a bound, an enumeration or a required property that
// differs. Deviations are listed with their reason, and a listed one that is not needed fails too.
//
// The schemas are those of the folder OCI_SCHEMA_DIR; the tests are skipped where there is none.
#include "oci-spec/schema/schema.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <yajl/yajl_tree.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "oci-spec/documents.h"
#include "oci-spec/json/reader.h"

namespace oci {
namespace {

using schema::Field;
using schema::Kind;
using schema::Object;
using schema::Type;

std::string schema_directory() {
  const char* directory = std::getenv("OCI_SCHEMA_DIR");
  return directory != nullptr ? directory : "../shared/runtime-spec/schema";
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> files_of(const std::string& directory) {
  std::vector<std::string> names;
  if (DIR* stream = opendir(directory.c_str())) {
    while (const dirent* entry = readdir(stream)) {
      const std::string name = entry->d_name;
      if (name.ends_with(".json")) names.push_back(name);
    }
    closedir(stream);
  }
  std::sort(names.begin(), names.end());
  return names;
}

constexpr const char* kNoId = "the largest number of 32 bits means no id to the kernel";

// Where the rows differ from the schema on purpose.
const std::map<std::string, std::string> kDeviations = {
    {"config.solaris", "another platform"},
    {"config.windows", "another platform"},
    {"config.vm", "another platform"},
    {"config.zos", "another platform"},
    {"config.freebsd", "another platform"},
    {"config.process.commandLine", "Windows only"},
    {"config.process.user.username", "Windows only"},
    {"config.process.user.uid maximum", kNoId},
    {"config.process.user.gid maximum", kNoId},
    {"config.process.user.additionalGids[] maximum", kNoId},
    {"config.linux.devices[].uid maximum", kNoId},
    {"config.linux.devices[].gid maximum", kNoId},
    {"config.linux.devices[].fileMode maximum",
     "callers write a whole st_mode, and other runtimes take it"},
    {"config.linux.devices[].type pattern", "read as an enumeration of the same four letters"},
    {"config.linux.rootfsPropagation rprivate", "recursive forms are what callers write"},
    {"config.linux.rootfsPropagation rshared", "recursive forms are what callers write"},
    {"config.linux.rootfsPropagation rslave", "recursive forms are what callers write"},
    {"config.linux.rootfsPropagation runbindable", "recursive forms are what callers write"},
    {"state.status paused", "runtime.md: additional values MAY be defined by the runtime"},
};

// A place in one of the schema files.
struct Node {
  std::string file;
  yajl_val value = nullptr;

  yajl_val get(const char* name) const {
    const char* path[] = {name, nullptr};
    return yajl_tree_get(value, path, yajl_t_any);
  }
  std::string text(const char* name) const {
    const yajl_val found = get(name);
    if (YAJL_IS_STRING(found)) return YAJL_GET_STRING(found);
    if (YAJL_IS_NUMBER(found)) return YAJL_GET_NUMBER(found);
    return "";
  }
};

class SchemaTest : public testing::Test {
 protected:
  void SetUp() override {
    if (contents(schema_directory() + "/config-schema.json").empty()) {
      GTEST_SKIP() << "no schemas in " << schema_directory() << "; set OCI_SCHEMA_DIR";
    }
  }
  void TearDown() override {
    for (auto& [name, tree] : trees_) yajl_tree_free(tree);
  }

  Node load(const std::string& file) {
    if (!trees_.contains(file)) {
      char error[256] = "";
      const std::string text = contents(schema_directory() + "/" + file);
      trees_[file] = yajl_tree_parse(text.c_str(), error, sizeof(error));
      EXPECT_NE(trees_[file], nullptr) << file << ": " << error;
    }
    return {file, trees_[file]};
  }

  // Follows "$ref": "file.json#/a/b", "#/a/b", and the anyOf of one alternative.
  Node resolve(Node node) {
    for (;;) {
      if (const yajl_val any = node.get("anyOf")) {
        EXPECT_EQ(YAJL_GET_ARRAY(any)->len, 1u);
        node.value = YAJL_GET_ARRAY(any)->values[0];
        continue;
      }
      const std::string reference = node.text("$ref");
      if (reference.empty()) return node;
      const std::size_t hash = reference.find('#');
      Node target = load(hash == 0 ? node.file : reference.substr(0, hash));
      std::string rest = reference.substr(hash + 1);
      while (!rest.empty()) {
        rest.erase(0, 1);
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        target.value = target.get(rest.substr(0, slash).c_str());
        EXPECT_NE(target.value, nullptr) << reference;
        rest.erase(0, slash);
      }
      node = target;
    }
  }

  // Properties and required names, those of allOf included.
  void collect(const Node& node, std::map<std::string, Node>& properties,
               std::set<std::string>& required) {
    if (const yajl_val all = node.get("allOf")) {
      for (std::size_t i = 0; i < YAJL_GET_ARRAY(all)->len; ++i) {
        collect(resolve({node.file, YAJL_GET_ARRAY(all)->values[i]}), properties, required);
      }
    }
    if (const yajl_val list = node.get("properties")) {
      for (std::size_t i = 0; i < YAJL_GET_OBJECT(list)->len; ++i) {
        properties[YAJL_GET_OBJECT(list)->keys[i]] = {node.file, YAJL_GET_OBJECT(list)->values[i]};
      }
    }
    if (const yajl_val names = node.get("required")) {
      for (std::size_t i = 0; i < YAJL_GET_ARRAY(names)->len; ++i) {
        required.insert(YAJL_GET_STRING(YAJL_GET_ARRAY(names)->values[i]));
      }
    }
  }

  bool deviates(const std::string& what) {
    if (!kDeviations.contains(what)) return false;
    used_.insert(what);
    return true;
  }

  void compare(const std::string& path, Node node, const Type& type, const Field* row) {
    node = resolve(node);
    std::string kind = node.text("type");
    if (kind.empty() && node.get("allOf") != nullptr) kind = "object";
    if (kind == "object") {
      compare_object(path, node, type);
    } else if (kind == "array") {
      ASSERT_EQ(type.kind, Kind::kList) << path;
      const std::string items = node.text("minItems");
      EXPECT_EQ(items.empty() ? "0" : items, std::to_string(row->rules().min_items)) << path;
      compare(path + "[]", {node.file, node.get("items")}, *type.element, row);
    } else if (kind == "string") {
      compare_string(path, node, type, row);
    } else if (kind == "integer") {
      compare_integer(path, node, type, row);
    } else {
      EXPECT_EQ(kind, "boolean") << path;
      EXPECT_EQ(type.kind, Kind::kBoolean) << path;
      ++compared_;
    }
  }

  void compare_object(const std::string& path, const Node& node, const Type& type) {
    std::map<std::string, Node> properties;
    std::set<std::string> required;
    collect(node, properties, required);
    if (properties.empty()) {  // free names
      ASSERT_EQ(type.kind, Kind::kMap) << path;
      Node element{node.file, node.get("additionalProperties")};
      if (element.value == nullptr) {
        const yajl_val patterns = node.get("patternProperties");
        ASSERT_NE(patterns, nullptr) << path;
        ASSERT_EQ(YAJL_GET_OBJECT(patterns)->len, 1u) << path;
        element.value = YAJL_GET_OBJECT(patterns)->values[0];
      }
      compare(path + "{}", element, *type.element, nullptr);
      return;
    }
    ASSERT_EQ(type.kind, Kind::kObject) << path;
    std::set<std::string> rows;
    for (const Field& row : type.rows) {
      const std::string name(row.name());
      const std::string here = path + "." + name;
      EXPECT_TRUE(rows.insert(name).second) << here << " has two rows";
      if (!properties.contains(name)) {
        ADD_FAILURE() << here << " has a row, but the schema has no such property";
        continue;
      }
      EXPECT_EQ(row.rules().required, required.contains(name)) << here;
      // "Optional" in C++ goes with optional in the schema.
      if (row.optional()) {
        EXPECT_FALSE(row.rules().required) << here;
      }
      compare(here, properties[name], row.type(), &row);
    }
    for (const auto& [name, property] : properties) {
      const std::string here = path + "." + name;
      if (!rows.contains(name) && !deviates(here)) ADD_FAILURE() << here << " has no row";
    }
  }

  void compare_string(const std::string& path, const Node& node, const Type& type,
                      const Field* row) {
    ++compared_;
    if (const yajl_val names = node.get("enum")) {
      ASSERT_EQ(type.kind, Kind::kEnumeration) << path;
      std::set<std::string> expected;
      for (std::size_t i = 0; i < YAJL_GET_ARRAY(names)->len; ++i) {
        expected.insert(YAJL_GET_STRING(YAJL_GET_ARRAY(names)->values[i]));
      }
      for (const std::string_view name : type.names) {
        const std::string word(name);
        if (expected.erase(word) == 0 && !deviates(path + " " + word)) {
          ADD_FAILURE() << path << ": the schema has no " << word;
        }
      }
      for (const std::string& word : expected) ADD_FAILURE() << path << ": no name " << word;
      return;
    }
    const std::string pattern = node.text("pattern");
    if (type.kind == Kind::kEnumeration) {
      EXPECT_TRUE(deviates(path + " pattern")) << path;
      std::string letters;
      for (const std::string_view name : type.names) letters += name;
      EXPECT_EQ(letters, "bcpu") << path;
      EXPECT_EQ(pattern, "^[cbup]$") << path;
      return;
    }
    ASSERT_EQ(type.kind, Kind::kString) << path;
    const schema::Pattern* ours = row != nullptr ? row->rules().pattern : nullptr;
    EXPECT_EQ(ours != nullptr ? ours->expression : "", pattern) << path;
  }

  void compare_integer(const std::string& path, const Node& node, const Type& type,
                       const Field* row) {
    ++compared_;
    ASSERT_EQ(type.kind, Kind::kInteger) << path;
    const unsigned bits = type.width * 8u;
    std::uint64_t maximum = ~std::uint64_t{0} >> (64 - bits);
    std::int64_t minimum = 0;
    if (type.is_signed) {
      maximum >>= 1;
      minimum = -static_cast<std::int64_t>(maximum) - 1;
    }
    if (row != nullptr) {
      minimum = std::max(minimum, row->rules().minimum);
      maximum = std::min(maximum, row->rules().maximum);
    }
    // An "integer" without bounds is Go's int.
    std::string low = node.text("minimum");
    if (low.empty()) low = "-9223372036854775808";
    std::string high = node.text("maximum");
    if (high.empty()) high = "9223372036854775807";
    EXPECT_EQ(std::to_string(minimum), low) << path;
    if (std::to_string(maximum) != high && !deviates(path + " maximum")) {
      EXPECT_EQ(std::to_string(maximum), high) << path;
    }
  }

  std::map<std::string, yajl_val> trees_;
  std::set<std::string> used_;
  int compared_ = 0;
};

TEST_F(SchemaTest, EveryPropertyOfTheSchemasHasARowAndEveryRowAProperty) {
  compare("config", load("config-schema.json"), Object<Spec>::type, nullptr);
  compare("state", load("state-schema.json"), Object<State>::type, nullptr);
  compare("features", load("features-schema.json"), Object<Features>::type, nullptr);
  EXPECT_GT(compared_, 200) << "the walk did not reach the properties";
  for (const auto& [what, reason] : kDeviations) {
    EXPECT_TRUE(used_.contains(what)) << what << " is listed as a deviation, but is none";
  }
}

// The project's own examples. What is structurally right may still break a rule between properties.
TEST_F(SchemaTest, GoodConfigurationsAreRead) {
  const std::map<std::string, std::string> refused_by_a_rule = {
      {"linux-netdevice.json", "linux.netDevices"},  // interfaces to move, no network namespace
      {"spec-example.json", "ociVersion"},           // 0.5.0-dev
      {"zos-example.json", "ociVersion"},            // 0.5.0-dev; another platform besides
      {"freebsd-example.json", "hostname"},          // a jail's, which needs no UTS namespace
  };
  const std::string directory = schema_directory() + "/test/config/good";
  const auto names = files_of(directory);
  if (names.empty()) GTEST_SKIP() << "no examples in " << directory;
  for (const std::string& name : names) {
    const std::string text = contents(directory + "/" + name);
    Spec spec;
    const auto error = json::read(text, name, Object<Spec>::type, &spec);
    EXPECT_FALSE(error) << error->message();
    const Result<Spec> checked = read_config(text, name);
    if (refused_by_a_rule.contains(name)) {
      ASSERT_FALSE(checked) << name;
      EXPECT_EQ(checked.error().property, refused_by_a_rule.at(name)) << checked.error().message();
    } else {
      EXPECT_TRUE(checked) << checked.error().message();
    }
  }
}

TEST_F(SchemaTest, TheSpecificationsExampleIsReadOnceItsVersionIsOfThisCentury) {
  std::string text = contents(schema_directory() + "/test/config/good/spec-example.json");
  if (text.empty()) GTEST_SKIP() << "no examples in " << schema_directory();
  const std::size_t at = text.find("0.5.0-dev");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 9, "1.0.0");
  const Result<Spec> spec = read_config(text);
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->linux->resources->hugepage_limits[0].limit, 9223372036854772000u);
  const Result<Spec> again = read_config(write(*spec, true));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, *spec);
}

TEST_F(SchemaTest, BadConfigurationsAreRefused) {
  const std::map<std::string, std::string> accepted = {
      {"freebsd-vnet-disable.json", "sections of other platforms are ignored"},
  };
  const std::string directory = schema_directory() + "/test/config/bad";
  const auto names = files_of(directory);
  if (names.empty()) GTEST_SKIP() << "no examples in " << directory;
  for (const std::string& name : names) {
    const Result<Spec> spec = read_config(contents(directory + "/" + name), name);
    EXPECT_EQ(spec.has_value(), accepted.contains(name)) << name;
  }
}

TEST_F(SchemaTest, StatesAndFeaturesOfTheExamplesAreReadOrRefused) {
  const auto each = [](const std::string& kind, auto read, bool good) {
    const std::string directory = schema_directory() + "/test/" + kind + (good ? "/good" : "/bad");
    int count = 0;
    for (const std::string& name : files_of(directory)) {
      ++count;
      const auto value = read(contents(directory + "/" + name), name);
      EXPECT_EQ(value.has_value(), good) << directory << "/" << name;
      if (!value || !good) continue;
      const auto again = read(write(*value, false), name);
      EXPECT_TRUE(again && *again == *value) << name;
    }
    return count;
  };
  if (each("state", read_state, true) == 0) GTEST_SKIP() << "no examples";
  EXPECT_GT(each("state", read_state, false), 0);
  EXPECT_GT(each("features", read_features, true), 0);
  EXPECT_GT(each("features", read_features, false), 0);
}

// The patterns are functions; the schema has regular expressions.
TEST(SchemaPatterns, FunctionsSayWhatTheExpressionsSay) {
  struct Sample {
    const Type& type;
    std::string_view property;
    std::vector<std::string> good;
    std::vector<std::string> bad;
  };
  const Sample samples[] = {
      {Object<Rlimit>::type,
       "type",
       {"RLIMIT_NOFILE", "RLIMIT_X"},
       {"RLIMIT_", "NOFILE", "RLIMIT_nofile", "RLIMIT_A1", ""}},
      {Object<ExecCpuAffinity>::type, "initial", {"0-3,7", "0, 1", ""}, {"a", "0-3\n", "0x1"}},
      {Object<HugepageLimit>::type,
       "pageSize",
       {"64KB", "2MB", "1GB"},
       {"64kB", "0MB", "MB", "2M", "2TB", "2MB ", ""}},
      {Object<IntelRdt>::type, "memBwSchema", {"MB:", "MB:0=20;1=70"}, {"L3:0=f", "MB:0=1\n", ""}},
      {Object<LinuxFeatures>::type,
       "capabilities",
       {"CAP_KILL", "CAP_SYS_ADMIN"},
       {"CAP_", "KILL", "cap_kill", "CAP_9"}},
  };
  for (const Sample& sample : samples) {
    const auto row = std::find_if(sample.type.rows.begin(), sample.type.rows.end(),
                                  [&](const Field& f) { return f.name() == sample.property; });
    ASSERT_NE(row, sample.type.rows.end()) << sample.property;
    ASSERT_NE(row->rules().pattern, nullptr) << sample.property;
    for (const auto& text : sample.good) EXPECT_TRUE(row->rules().pattern->matches(text)) << text;
    for (const auto& text : sample.bad) EXPECT_FALSE(row->rules().pattern->matches(text)) << text;
  }
}

}  // namespace
}  // namespace oci
