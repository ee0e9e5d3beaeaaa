#include "src/pod/addresses.h"

#include <gtest/gtest.h>

#include "src/pod/pod.h"

namespace ocirt::pod {
namespace {

TEST(PodAddresses, TakeThePlaceOfWhatStandsForThem) {
  const std::string addresses[] = {"10.130.0.5", "fd12::5"};
  EXPECT_EQ(with_addresses(R"(["A=\u0001status.podIP\u0001:80","B=\u0001status.podIPs\u0001"])",
                           addresses),
            R"(["A=10.130.0.5:80","B=10.130.0.5,fd12::5"])");
}

TEST(PodAddresses, HaveNamesForPeopleWhoLookBefore) {
  EXPECT_EQ(
      with_names_of_addresses(R"(["A=\u0001status.podIP\u0001:80","B=\u0001status.podIPs\u0001"])"),
      R"x(["A=$(status.podIP):80","B=$(status.podIPs)"])x");
}

TEST(PodAddresses, LeaveEverythingElseAsItIs) {
  const std::string addresses[] = {"10.130.0.5"};
  for (const char* text : {"", "{}", R"(["\u0001","\u0001status.podIPx\u0001","\u0001status"])"})
    EXPECT_EQ(with_addresses(text, addresses), text);
}

TEST(PodAddresses, AreFoundAsTheJsonWriterWritesThem) {
  const std::string addresses[] = {"10.130.0.5"};
  Pod pod;
  pod.hostname = kPodIp;
  EXPECT_NE(with_addresses(write_pod(pod), addresses).find("\"10.130.0.5\""), std::string::npos);
}

}  // namespace
}  // namespace ocirt::pod
