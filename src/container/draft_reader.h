// For tests: a small valid configuration to be changed, and the plan that comes of it, read back as
// a container's init reads it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "src/container/draft.h"
#include "src/plan/plan.h"

namespace ocirt::container {

// A plan in memory of its own.
class DraftReader {
 public:
  explicit DraftReader(Draft from) : draft(std::move(from)), block_(finished(draft.builder)) {}

  plan::View view() const { return plan::View(block_.data()); }
  const plan::Plan& plan() const { return view().plan(); }
  std::string text(plan::Text t) const { return std::string(view().view(t)); }
  std::vector<std::string> texts(plan::List<plan::Text> list) const {
    std::vector<std::string> all;
    for (plan::Text t : view().list(list)) all.push_back(text(t));
    return all;
  }
  template <class T>
  std::span<const T> list(plan::List<T> l) const {
    return view().list(l);
  }

  const Draft draft;

 private:
  static std::string finished(const plan::Builder& builder) {
    plan::Builder copy = builder;
    return copy.finish();
  }
  std::string block_;
};

class Drafting : public testing::Test {
 protected:
  Drafting() {
    using enum oci::NamespaceType;
    spec.oci_version = "1.0.2";
    spec.root = oci::Root{.path = "rootfs"};
    spec.process = oci::Process{.args = {"sh"}, .cwd = "/"};
    spec.linux = oci::Linux{.namespaces = {{kMount}, {kPid}, {kIpc}, {kUts}, {kNetwork}}};
    input.spec = &spec;
    input.id = "c1";
    input.bundle = "/bundle";
    input.rootfs = "/bundle/rootfs";
    input.cgroup_host = {cgroup::Layout::unified, {{"", "/sys/fs/cgroup", "/own"}}};
  }

  Result<Draft> draft() { return draft_container(input); }
  // A configuration that is expected to be fine.
  DraftReader read() {
    Result<Draft> drafted = draft();
    EXPECT_TRUE(drafted) << drafted.error().text;
    return DraftReader(drafted ? *std::move(drafted) : Draft());
  }
  // Why it is refused; empty when it is not.
  std::string refusal() {
    Result<Draft> drafted = draft();
    return drafted ? "" : drafted.error().text;
  }

  oci::Spec spec;
  DraftInput input;
};

}  // namespace ocirt::container
