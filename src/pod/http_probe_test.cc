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
                          {"HTTP/1.1 304 Not Modified\r\n", true},
                          {"HTTP/1.1 302 Found\r\n\r\n", true},
                          {"HTTP/1.1 400 Bad\r\n", false},
                          {"HTTP/1.1 503 x\r\n", false},
                          {"HTTP/1.1 101 x\r\n", false},
                          {"HTTP/1.1 099 x\r\n", false}}) {
    const std::optional<HttpAnswer> answer = judge(one.text);
    ASSERT_TRUE(answer) << one.text;
    EXPECT_EQ(answer->success, one.success) << one.text;
  }
  EXPECT_EQ(judge("HTTP/1.1 503 Service\r\n")->text, "HTTP status 503");
}

TEST(HttpProbe, WhatComesBeforeTheAnswerIsNone) {
  constexpr std::string_view kBefore =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\nLink: y\n\nHTTP/1.1 ";
  for (size_t size = 0; size <= kBefore.size(); ++size)
    EXPECT_FALSE(judge(kBefore.substr(0, size))) << size;
  EXPECT_EQ(judge(std::string(kBefore) + "204 x")->status, 204);
  EXPECT_EQ(judge(std::string(kBefore) + "503 x")->text, "HTTP status 503");
  EXPECT_EQ(judge(kBefore, true)->text, "the answer ended before the status of HTTP");
  EXPECT_EQ(judge("HTTP/1.1 100 x\r\n", true)->text,
            "the answer ended in the header of HTTP status 100");
  EXPECT_EQ(judge("HTTP/1.1 100 x\r\n\r\nSSH-2.0")->text, "the answer is not HTTP");
}

TEST(HttpProbe, ARedirectSaysInItsHeaderWhereItLeads) {
  constexpr std::string_view kHeader = "HTTP/1.1 307 x\r\nA: b\r\nlocation: \t/x y \r\nB:\r\n\r\n";
  for (size_t size = 0; size < kHeader.size(); ++size)
    EXPECT_FALSE(judge(kHeader.substr(0, size))) << size;
  EXPECT_EQ(judge(kHeader)->location, "/x y");
  EXPECT_EQ(judge("HTTP/1.1 301 x\nLocation:/a\n\nLocation: /b\n\n")->location, "/a");
  EXPECT_EQ(judge("HTTP/1.1 303 x\r\n\r\n")->location, "");
  EXPECT_EQ(judge("HTTP/1.1 300 x\r\nLocation: /a\r\n\r\n")->location, "");
  EXPECT_FALSE(judge(kHeader.substr(0, 20), true)->success);
}

struct Leads {
  std::string_view location, path;
  uint16_t port = 8080;
};

TEST(HttpProbe, GoesOnOnTheSameHost) {
  const HttpGet asked{.port = 8080, .path = "/a/b?q=/1/2"};
  for (const auto& [location, path, port] : {Leads{"/x", "/x"},
                                             {"/x/?y=../z#frag", "/x/?y=../z"},
                                             {"c", "/a/c"},
                                             {"./c/", "/a/c/"},
                                             {"..", "/"},
                                             {"../../../c", "/c"},
                                             {"/x/y/..", "/x/"},
                                             {"?z", "/a/b?z"},
                                             {"#z", "/a/b?q=/1/2"},
                                             {"c:d/e", "", 0},
                                             {"./c:d", "/a/c:d"},
                                             {"/a b\xc3\xa9?c d", "/a%20b%C3%A9?c%20d"},
                                             {"//fd00::1", "", 0},
                                             {"//[fd00::1]", "/", 80},
                                             {"http://[fd00::1]:81/x", "/x", 81},
                                             {"HTTP://u:p@[fd00::1]?x", "/?x", 80},
                                             {"http://[fd00::1]:/x", "/x", 80},
                                             {"http://[fd00::1]:99999/x", "", 1},
                                             {"http://[fd00::1]8/x", "", 1},
                                             {"http://[fd00::2]/x", "", 0},
                                             {"http:/x", "", 0},
                                             {"https://[fd00::1]/x", "", 0},
                                             {"ftp://[fd00::1]/x", "", 1},
                                             {"/x\ry", "", 1}}) {
    const Redirect redirect = redirect_of(asked, "fd00::1", location);
    ASSERT_EQ(redirect.to.has_value(), !path.empty()) << location << " " << redirect.text;
    if (redirect.to) {
      EXPECT_EQ(redirect.to->path, path) << location;
      EXPECT_EQ(redirect.to->port, port) << location;
    } else {
      EXPECT_EQ(redirect.success, port == 0) << location << " " << redirect.text;
    }
  }
  EXPECT_EQ(redirect_of(asked, "fd00::1", "http://other/").text,
            "a redirect to \"http://other/\", which is another host, was not followed");
}

TEST(HttpProbe, HasTheHostOfItsHeadersUntilARedirectNamesOne) {
  const HttpGet asked{.host = "1.2.3.4", .port = 80, .headers = {{"host", "a"}, {"X", "1"}}};
  EXPECT_EQ(redirect_of(asked, "", "/x").to->headers.size(), 2U);
  EXPECT_EQ(redirect_of(asked, "", "//1.2.3.4/x").to->headers.size(), 2U);
  EXPECT_EQ(redirect_of(asked, "", "http://1.2.3.4/x").to->headers.size(), 1U);
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
