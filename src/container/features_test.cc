#include "src/container/features.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "oci-spec/documents.h"

namespace ocirt::container {
namespace {

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

TEST(Features, SayWhatEnginesAskFor) {
  oci::Features all = features("1", "2");
  EXPECT_EQ(all.oci_version_min, "1.0.0");
  EXPECT_EQ(all.oci_version_max, "1.3.0");
  EXPECT_TRUE(has(*all.mount_options, "rro"));
  EXPECT_TRUE(has(*all.hooks, "createContainer"));
  using enum oci::NamespaceType;
  EXPECT_EQ(*all.linux->namespaces,
            (std::vector{kCgroup, kIpc, kMount, kNetwork, kPid, kTime, kUser, kUts}));
  EXPECT_TRUE(has(*all.linux->capabilities, "CAP_CHECKPOINT_RESTORE"));
  EXPECT_EQ(*all.annotations.find("run.oci.ocirt.version"), "1");
}

TEST(Features, OfferMappedMountsEverywhereOrNowhere) {
  oci::Features all = features("1", "2");
  ASSERT_TRUE(all.linux->mount_extensions && all.linux->mount_extensions->idmap);
  EXPECT_EQ(*all.linux->mount_extensions->idmap->enabled, has(*all.mount_options, "idmap"));
}

TEST(Features, OfSeccompAreThoseOfTheCompilerAndTheKernel) {
  oci::SeccompFeatures seccomp = *features("1", "2").linux->seccomp;
  EXPECT_EQ(seccomp.actions->size(), 9u);
  EXPECT_EQ(seccomp.operators->size(), 7u);
  EXPECT_FALSE(seccomp.archs->empty());
  EXPECT_EQ(seccomp.known_flags->size(), 4u);
  // TSYNC is as old as seccomp(2) itself.
  EXPECT_NE(std::find(seccomp.supported_flags->begin(), seccomp.supported_flags->end(),
                      oci::SeccompFlag::kTsync),
            seccomp.supported_flags->end());
}

TEST(Features, AreADocumentThatReadsBack) {
  oci::Features all = features("1", "2");
  oci::Result<oci::Features> back = oci::read_features(oci::write(all, true));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, all);
}

}  // namespace
}  // namespace ocirt::container
