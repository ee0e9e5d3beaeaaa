#include "src/net/pod_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocirt::net {
namespace {

using ::testing::HasSubstr;

PodRequest web() {
  PodRequest request;
  request.name = "web";
  request.uid = "0f1e2d3c";
  request.netns = "/run/netns/ocirt-web";
  request.directory = "/run/ocirt/pods/web";
  request.hosts = "/run/ocirt/pods/web/hosts";
  request.ports = {{PodProtocol::kTcp, "127.0.0.1", 8080, 80}, {PodProtocol::kUdp, "", 53, 53}};
  return request;
}

std::string refusal_of(const PodRequest& request) {
  Result<PodRequest> read = read_pod_request(write_pod_request(request));
  return read ? "" : read.error().text;
}

TEST(PodNetworkRequest, IsReadAsItWasWritten) {
  PodRequest request = web();
  EXPECT_EQ(*read_pod_request(write_pod_request(request)), request);
  request.verb = PodVerb::kDown;
  request.mode = PodMode::kCni;
  request.cni = "pods";
  request.force = true;
  EXPECT_EQ(*read_pod_request(write_pod_request(request)), request);
}

TEST(PodNetworkRequest, TheAnswerIsReadAsItWasWritten) {
  PodNetwork network;
  network.interface = "eth0";
  network.addresses = {"10.130.0.2/16", "fd00::2/64"};
  network.ports = web().ports;
  network.notes = {"net.ipv4.ip_forward is 1 now"};
  EXPECT_EQ(*read_pod_network(write_pod_network(network)), network);
}

TEST(PodNetworkRequest, WhatNoRequestMayHoldIsRefused) {
  PodRequest request = web();
  request.name = "Web\n";
  EXPECT_THAT(refusal_of(request), HasSubstr("name: "));
  request = web();
  request.uid = "a b";
  EXPECT_THAT(refusal_of(request), HasSubstr("uid: "));
  request = web();
  request.netns = "netns/web";
  EXPECT_THAT(refusal_of(request), HasSubstr("netns: "));
  request = web();
  request.hostname = "a\n127.0.0.1 b";
  EXPECT_THAT(refusal_of(request), HasSubstr("hostname: "));
  request = web();
  request.ports[0].host_ip = "localhost";
  EXPECT_THAT(refusal_of(request), HasSubstr("ports[0].hostIP: "));
  request = web();
  request.ports[0].host_port = 0;
  EXPECT_THAT(refusal_of(request), HasSubstr("hostPort"));
  request = web();
  request.mode = PodMode::kCni;
  request.cni = "../etc";
  EXPECT_THAT(refusal_of(request), HasSubstr("cni: "));
  EXPECT_FALSE(read_pod_request("pod {"));
  EXPECT_FALSE(read_pod_request("move-in\n"));
}

TEST(PodNetworkRequest, TwoPortsThatMeetAreRefused) {
  PodRequest request = web();
  request.ports.push_back({PodProtocol::kTcp, "0.0.0.0", 8080, 81});
  EXPECT_THAT(refusal_of(request), HasSubstr("ports[2]: host port tcp 0.0.0.0:8080"));
}

TEST(PodNetworkRequest, PortsMeetOnTheSameAddressOrOnAll) {
  const PodPort local{PodProtocol::kTcp, "127.0.0.1", 80, 1};
  EXPECT_TRUE(ports_meet(local, local));
  EXPECT_TRUE(ports_meet(local, {PodProtocol::kTcp, "", 80, 2}));
  EXPECT_TRUE(ports_meet(local, {PodProtocol::kTcp, "0.0.0.0", 80, 2}));
  EXPECT_FALSE(ports_meet(local, {PodProtocol::kTcp, "::", 80, 2}));
  EXPECT_FALSE(ports_meet(local, {PodProtocol::kTcp, "127.0.0.2", 80, 2}));
  EXPECT_FALSE(ports_meet(local, {PodProtocol::kUdp, "127.0.0.1", 80, 2}));
  EXPECT_FALSE(ports_meet(local, {PodProtocol::kTcp, "127.0.0.1", 81, 2}));
  EXPECT_TRUE(ports_meet({PodProtocol::kTcp, "::1", 80, 1}, {PodProtocol::kTcp, "0::1", 80, 2}));
}

}  // namespace
}  // namespace ocirt::net
