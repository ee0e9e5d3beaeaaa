#include "src/podfile/yaml.h"

#include <gtest/gtest.h>

namespace ocirt::podfile {
namespace {

Node read_one(std::string_view text) {
  auto documents = read_yaml(text, "f");
  if (!documents || documents->size() != 1) {
    ADD_FAILURE() << text << ": " << (documents ? "not one document" : documents.error().message());
    return {};
  }
  return std::move(documents->front());
}

std::string error_of(std::string_view text) {
  const auto documents = read_yaml(text, "f");
  return documents ? "accepted" : documents.error().message();
}

TEST(Yaml, EveryValueHasItsPlace) {
  const Node root = read_one("a: 1\nb:\n  - x\n  - c: y\n");
  EXPECT_EQ(root.find("a")->place.column, 4U);
  const Place place = place_of(root, "b[1].c");
  EXPECT_EQ(place.line, 4U);
  EXPECT_EQ(place.column, 5U);
}

TEST(Yaml, ThePlaceOfWhatIsAbsentIsThatOfTheNearestThingAroundIt) {
  const Node root = read_one("a:\n  b: {x.y: 1}\n");
  EXPECT_EQ(place_of(root, "a.b.missing.more").line, 2U);
  EXPECT_EQ(place_of(root, "a.b.missing.more").column, 3U);
  EXPECT_EQ(place_of(root, "a.b[\"x.y\"]").column, 7U);
  EXPECT_EQ(place_of(root, "a[3]").line, 1U);
}

TEST(Yaml, ScalarsKeepTheirTextAndWhetherTheyWereQuoted) {
  const Node root = read_one("[NO, 'NO', 1.10, ~, '', !!str 5, \"\\u00e9\"]");
  EXPECT_EQ(root.items[0].text, "NO");
  EXPECT_TRUE(root.items[0].plain);
  EXPECT_FALSE(root.items[1].plain);
  EXPECT_EQ(root.items[2].text, "1.10");
  EXPECT_EQ(root.items[3].kind, Node::Kind::kNull);
  EXPECT_EQ(root.items[4].kind, Node::Kind::kScalar);
  EXPECT_FALSE(root.items[5].plain);
  EXPECT_EQ(root.items[6].text, "\xc3\xa9");
}

TEST(Yaml, AnchorsAliasesAndMergeKeysWork) {
  const Node root =
      read_one("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}]}\n");
  EXPECT_EQ(root.find("b")->find("x")->text, "1");
  EXPECT_EQ(root.find("c")->find("y")->text, "3");
  EXPECT_EQ(root.find("c")->find("x")->text, "1");
  EXPECT_EQ(root.find("d")->find("z")->text, "4");
}

TEST(Yaml, AFileMayBeginWithAByteOrderMark) {
  EXPECT_EQ(read_one("\xEF\xBB\xBF"
                     "a: 1\r\nb: 2\r\n")
                .find("b")
                ->text,
            "2");
  EXPECT_TRUE(read_yaml("\xEF\xBB\xBF", "f")->empty());
}

TEST(Yaml, WhatMeansTwoThingsIsRefused) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"), "f:3:1: the key \"a\" is there twice, first in line 1");
  EXPECT_EQ(error_of("? [x]\n: 1\n"), "f:1:3: a key must be a text");
  EXPECT_EQ(error_of("a: !!binary aGk=\n"),
            "f:1:4: not supported: the tag \"tag:yaml.org,2002:binary\"");
  EXPECT_EQ(error_of("a: !thing 1\n"), "f:1:4: not supported: the tag \"!thing\"");
  EXPECT_EQ(error_of("a: \"\\0\"\n"), "f:1:4: a text must not contain \\0");
  EXPECT_EQ(error_of("a: &b [*b]\n"), "f:1:8: there is no anchor &b before this alias");
}

TEST(Yaml, BytesThatAreNoTextAreRefusedWithTheirPlace) {
  EXPECT_TRUE(error_of("a: 1\nb: \xff\n").starts_with("f:2:4: not valid YAML"));
  EXPECT_TRUE(error_of(std::string("a: \x01\n")).starts_with("f:1:4: not valid YAML"));
}

TEST(Yaml, WhatAFileMayAskForIsBounded) {
  EXPECT_EQ(error_of(std::string(kMaxFile + 1, ' ')),
            "f: the file has 1048577 bytes, more than the limit of 1048576");
  std::string deep(kMaxDepth + 1, '[');
  EXPECT_TRUE(error_of(deep).contains("nested deeper")) << error_of(deep);
  std::string wide = "{";
  for (size_t i = 0; i <= kMaxMembers; ++i) wide += "k" + std::to_string(i) + ": 1, ";
  EXPECT_TRUE(error_of(wide + "}").contains("a map with more than 4000 keys"));
  std::string merged = "{<<: {a: , b: }, ";
  for (size_t i = 0; i + 1 < kMaxMembers; ++i) merged += "k" + std::to_string(i) + ": 1, ";
  EXPECT_TRUE(error_of(merged + "}").contains("a map with more than 4000 keys"));
  // 20 KB of text, 1000 times
  std::string text = "a: &a \"" + std::string(20'000, 'x') + "\"\nb: [";
  for (int i = 0; i < 1000; ++i) text += "*a,";
  EXPECT_TRUE(error_of(text + "]").contains("once its aliases are replaced"));
}

TEST(Yaml, DocumentsAreCountedAndEmptyOnesLeftOut) {
  EXPECT_EQ(read_yaml("---\n---\na: 1\n---\n# nothing\n---\nb: 1\n", "f")->size(), 2U);
  EXPECT_TRUE(read_yaml("", "f")->empty());
}

}  // namespace
}  // namespace ocirt::podfile
