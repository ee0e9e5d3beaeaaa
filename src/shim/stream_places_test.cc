#include "src/shim/stream_places.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ocirt::shim {
namespace {

using Kind = StreamPlaces::Kind;

int code_of(const StreamPaths& paths) {
  Result<StreamPlaces> places = read_places(paths);
  return places ? 0 : places.error().code;
}

TEST(StreamPlaces, FifosComeByPathOrAddress) {
  const StreamPlaces places = *read_places({.in = "/i", .out = "fifo:///o", .err = ""});
  EXPECT_EQ(places.kind, Kind::kFifos);
  EXPECT_EQ(places.in, "/i");
  EXPECT_EQ(places.out, "/o");
  EXPECT_EQ(places.err, "");
}

TEST(StreamPlaces, AFileIsForBothOutputs) {
  const StreamPlaces places =
      *read_places({.out = "file:///var/log/a?b=c", .err = "file:///var/log/a?b=c"});
  EXPECT_EQ(places.kind, Kind::kFile);
  EXPECT_EQ(places.out, "/var/log/a");
}

TEST(StreamPlaces, AProgramHasItsArgumentsInOrder) {
  const StreamPlaces places =
      *read_places({.out = "binary:///bin/l?z=1&a=x%2Fy+z&flag&empty=", .err = "ignored"});
  EXPECT_EQ(places.kind, Kind::kProgram);
  EXPECT_EQ(places.program,
            (std::vector<std::string>{"/bin/l", "z", "1", "a", "x/y z", "flag", "empty", ""}));
  EXPECT_FALSE(places.must_answer);
  EXPECT_TRUE(read_places({.out = "binary-v2:///bin/l"})->must_answer);
}

TEST(StreamPlaces, StreamsOverASocketHaveIds) {
  const StreamPlaces places = *read_places({.out = "ttrpc+unix:///run/s?streaming_id=c%2Dout",
                                            .err = "ttrpc+unix:///run/s?x=y&streaming_id=c-err"});
  EXPECT_EQ(places.kind, Kind::kSocket);
  EXPECT_EQ(places.socket, "/run/s");
  EXPECT_EQ(places.in, "");
  EXPECT_EQ(places.out, "c-out");
  EXPECT_EQ(places.err, "c-err");
}

TEST(StreamPlaces, StreamsOverASocketAreAllOfOneSocketAndHaveAllAnId) {
  const std::string good = "ttrpc+unix:///run/s?streaming_id=1";
  EXPECT_EQ(code_of({.in = "/fifo", .out = good}), ENOSYS);
  EXPECT_EQ(code_of({.out = "/fifo", .err = good}), ENOSYS);
  EXPECT_EQ(code_of({.out = good, .err = "ttrpc+unix:///run/t?streaming_id=2"}), EINVAL);
  EXPECT_EQ(code_of({.out = "ttrpc+unix:///run/s?streaming_id="}), EINVAL);
  EXPECT_EQ(code_of({.out = "ttrpc+unix:///run/s"}), EINVAL);
  EXPECT_EQ(code_of({.out = "ttrpc+unix://?streaming_id=1"}), EINVAL);
}

TEST(StreamPlaces, OthersAreRefused) {
  EXPECT_EQ(code_of({.out = "grpc+unix:///run/s?streaming_id=1"}), ENOSYS);
  EXPECT_EQ(code_of({.out = "npipe:////x"}), ENOSYS);
  EXPECT_EQ(code_of({.in = "binary:///bin/l"}), ENOSYS);
  EXPECT_EQ(code_of({.out = "/o", .err = "file:///e"}), ENOSYS);
  EXPECT_EQ(code_of({.out = "binary://"}), EINVAL);
  EXPECT_EQ(code_of({.out = "relative"}), EINVAL);
}

}  // namespace
}  // namespace ocirt::shim
