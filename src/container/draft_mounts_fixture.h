// For tests of draft_mounts.cc: the plan of one mount of a configuration, or why it is refused.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "src/container/draft_reader.h"

namespace ocirt::container {

class DraftMounts : public Drafting {
 protected:
  // The plan of one mount.
  plan::Mount mount(oci::Mount from) {
    spec.mounts = {std::move(from)};
    reader_.emplace(read());
    auto mounts = reader_->list(reader_->plan().mounts);
    EXPECT_EQ(mounts.size(), 1u);
    return mounts.empty() ? plan::Mount() : mounts[0];
  }
  std::string text(plan::Text t) const { return reader_->text(t); }
  std::string refused(oci::Mount from) {
    spec.mounts = {{.destination = "/ok", .type = "tmpfs"}, std::move(from)};
    return refusal();
  }

  std::optional<DraftReader> reader_;
};

}  // namespace ocirt::container
