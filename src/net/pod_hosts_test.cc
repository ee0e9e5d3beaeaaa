#include "src/net/pod_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "src/base/text.h"

namespace ocirt::net {
namespace {

using ::testing::ElementsAre;

std::string edited(std::string file, const std::vector<HostLine>& lines) {
  const HostsChange change = *hosts_change(file, true, lines);
  if (change.size) file.resize(*change.size);
  for (const Edit& edit : change.edits) {
    if (file.size() < edit.offset + edit.bytes.size()) file.resize(edit.offset + edit.bytes.size());
    file.replace(edit.offset, edit.bytes.size(), edit.bytes);
  }
  return file;
}

const std::string kWeb = "10.130.0.2     \tweb\n";
const std::string kDb = "10.130.0.3     \tdb\n";

TEST(PodHosts, LinesComeBehindTheMark) {
  const std::string file =
      edited("127.0.0.1 localhost", {{"10.130.0.2", "web"}, {"10.130.0.3", "db"}});
  EXPECT_EQ(file, "127.0.0.1 localhost\n" + std::string(kHostsMark) + kWeb + kDb);
  EXPECT_EQ(*hosts_change(file, true, {{"10.130.0.2", "web"}, {"10.130.0.3", "db"}}),
            HostsChange());
}

TEST(PodHosts, ALineGoesByOneByteAndItsPlaceIsUsedAgain) {
  const std::string mark(kHostsMark);
  EXPECT_THAT(hosts_change(mark + kWeb + kDb, true, {{"10.130.0.3", "db"}})->edits,
              ElementsAre(Edit{mark.size(), "#"}));
  const std::string hidden = edited(mark + kWeb + kDb, {{"10.130.0.3", "db"}});
  EXPECT_EQ(edited(hidden, {{"10.130.0.3", "db"}, {"10.130.0.9", "app"}}),
            mark + "10.130.0.9     \tapp\n" + kDb);
}

TEST(PodHosts, ALineComesByOneByteAfterTheRestOfIt) {
  const std::string mark(kHostsMark);
  EXPECT_THAT(hosts_change(mark, true, {{"10.130.0.2", "web"}})->edits,
              ElementsAre(Edit{mark.size(), "#" + kWeb.substr(1)}, Edit{mark.size(), "1"}));
}

TEST(PodHosts, WhatAContainerHasWrittenThereIsMadeAComment) {
  const std::string mark(kHostsMark);
  EXPECT_EQ(edited(mark + "6.6.6.6 db\nx", {{"10.130.0.3", "db"}}), mark + "#.6.6.6 db\nx\n" + kDb);
}

std::string many(std::string_view line, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += line;
  return text;
}

TEST(PodHosts, MoreLinesThanPodsLeaveAreCutOff) {
  const std::string front = "127.0.0.1 localhost\n" + std::string(kHostsMark);
  for (std::string_view line : {"x\n", "#\n", "\n"}) {
    const std::string kept = cat(front, many(line, kMostUnused), kDb);
    EXPECT_FALSE(hosts_change(kept, true, {{"10.130.0.3", "db"}})->size);
    EXPECT_THAT(edited(kept + std::string(line), {{"10.130.0.3", "db"}}), front + kDb);
  }
}

TEST(PodHosts, OfAFileThatIsTooLargeOurPartIsWrittenAnew) {
  const std::string front = "127.0.0.1 localhost\n" + std::string(kHostsMark);
  EXPECT_EQ(*hosts_change(front + kDb + "10.1", false, {{"10.130.0.3", "db"}}),
            (HostsChange{front.size(), {{front.size(), kDb}}}));
  const Result<HostsChange> refused = hosts_change("x\n", false, {{"10.130.0.3", "db"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EFBIG);
}

}  // namespace
}  // namespace ocirt::net
