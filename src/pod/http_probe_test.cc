#include "src/pod/http_probe.h"

#include <gtest/gtest.h>

namespace ocirt::pod {
namespace {

std::optional<HttpAnswer> judge(std::string_view text, bool at_end = false) {
  return judge_http(text, at_end);
}

TEST(HttpProbe, AsksForThePathOnceAndClosesTheConnection) {
  EXPECT_EQ(http_request({.port = 8080, .path = "/healthz?x=1"}, "10.1.2.3"),
            "GET /healthz?x=1 HTTP/1.1\r\nHost: 10.1.2.3:8080\r\nUser-Agent: ocirt-probe\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n");
}

TEST(HttpProbe, NamesTheHostAsTheServerExpectsIt) {
  EXPECT_NE(http_request({.port = 80}, "fd00::1").find("Host: [fd00::1]\r\n"), std::string::npos);
  EXPECT_NE(
      http_request({.host = "example.org", .port = 81}, "1.2.3.4").find("Host: example.org:81\r\n"),
      std::string::npos);
}

TEST(HttpProbe, HeadersReplaceTheDefaultsWhateverTheirCase) {
  const std::string request = http_request(
      {.port = 80, .headers = {{"hOST", "a.example"}, {"X-A", "1"}, {"X-A", "2"}}}, "1.2.3.4");
  EXPECT_EQ(request.find("Host:"), std::string::npos);
  EXPECT_NE(request.find("hOST: a.example\r\n"), std::string::npos);
  EXPECT_NE(request.find("X-A: 1\r\nX-A: 2\r\n\r\n"), std::string::npos);
}

TEST(HttpProbe, SucceedsFrom200To399) {
  struct Case {
    std::string_view text;
    bool success;
  };
  for (const Case& one : {Case{"HTTP/1.1 200 OK\r\n", true},
                          {"HTTP/1.0 204\r\n", true},
                          {"HTTP/1.1 399 x\r\n", true},
                          {"HTTP/1.1 302 Found\r\n", true},
                          {"HTTP/1.1 400 Bad\r\n", false},
                          {"HTTP/1.1 503 x\r\n", false},
                          {"HTTP/1.1 199 x\r\n", false},
                          {"HTTP/1.1 100 Continue\r\n", false}}) {
    const std::optional<HttpAnswer> answer = judge(one.text);
    ASSERT_TRUE(answer) << one.text;
    EXPECT_EQ(answer->success, one.success) << one.text;
  }
  EXPECT_EQ(judge("HTTP/1.1 503 Service\r\n")->text, "HTTP status 503");
}

TEST(HttpProbe, DecidesAsSoonAsTheStatusIsThereWhereverThePiecesAreCut) {
  constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n";
  for (size_t size = 0; size <= 12; ++size) EXPECT_FALSE(judge(kAnswer.substr(0, size))) << size;
  for (size_t size = 13; size <= kAnswer.size(); ++size) {
    ASSERT_TRUE(judge(kAnswer.substr(0, size))) << size;
    EXPECT_TRUE(judge(kAnswer.substr(0, size))->success);
  }
}

TEST(HttpProbe, AlwaysDecidesAtTheEnd) {
  constexpr std::string_view kAnswer = "HTTP/1.1 200";
  for (size_t size = 0; size < kAnswer.size(); ++size) {
    ASSERT_TRUE(judge(kAnswer.substr(0, size), true)) << size;
    EXPECT_FALSE(judge(kAnswer.substr(0, size), true)->success) << size;
  }
  EXPECT_TRUE(judge(kAnswer, true)->success);
}

TEST(HttpProbe, WhatIsNotHttpFailsAtItsFirstWrongByte) {
  for (std::string_view text : std::initializer_list<std::string_view>{
           "S", "SSH-2.0-OpenSSH\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.x 200 \r\n",
           "HTTP/1.1  200\r\n", "HTTP/1.1 20x OK\r\n", "HTTP/1.1 2000 OK\r\n",
           "http/1.1 200 OK\r\n", std::string_view("\0\0", 2)}) {
    ASSERT_TRUE(judge(text)) << text;
    EXPECT_FALSE(judge(text)->success) << text;
    EXPECT_EQ(judge(text)->status, 0) << text;
  }
}

}  // namespace
}  // namespace ocirt::pod
