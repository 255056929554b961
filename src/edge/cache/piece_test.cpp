#include "edge/cache/piece.hpp"

#include <optional>
#include <string_view>

#include <gtest/gtest.h>

#include "edge/cache/message_fixture.hpp"

namespace meridian::edge {
namespace {

using wire::http::ByteRange;
using Kind = wire::http::RangeOutcome::Kind;

constexpr Validators kStrong = {.etag = "\"1\""};
constexpr Validators kWeak = {.etag = "W/\"1\""};

constexpr Piece Of(uint64_t first, uint64_t last) {
  return {.range = {.first = first, .last = last}, .whole_length = 10};
}

bool Answers(const Piece& piece, std::initializer_list<wire::http::HeaderField> fields,
             std::string_view method = "GET") {
  wire::http::RequestHead request = Get("/", fields);
  request.method = method;
  return PlanPiece(ReadCacheRequest(request), kStrong, piece, WallTime{}).kind == Kind::kParts;
}

TEST(Piece, ItAnswersARangeThatIsWhollyWithinIt) {
  EXPECT_TRUE(Answers(Of(2, 5), {{"Range", "bytes=2-5"}}));
  EXPECT_TRUE(Answers(Of(2, 5), {{"Range", "bytes=5-5,2-3"}}));
  EXPECT_TRUE(Answers(Of(6, 9), {{"Range", "bytes=-4"}}));
  EXPECT_TRUE(Answers(Of(6, 9), {{"Range", "bytes=7-"}}));
  for (const char* range : {"bytes=1-2", "bytes=5-6", "bytes=0-", "bytes=-1", "bytes=2-3,6-7",
                            "bytes=10-", "lines=2-3", "bytes=x"}) {
    EXPECT_FALSE(Answers(Of(2, 5), {{"Range", range}})) << range;
  }
}

TEST(Piece, ItAnswersNoRequestForTheWhole) {
  EXPECT_FALSE(Answers(Of(0, 5), {}));
  EXPECT_FALSE(Answers(Of(0, 5), {{"Range", "bytes=0-5"}}, "HEAD"));
  EXPECT_TRUE(Answers(Of(0, 5), {{"Range", "bytes=0-5"}, {"If-Range", "\"1\""}}));
  EXPECT_FALSE(Answers(Of(0, 5), {{"Range", "bytes=0-5"}, {"If-Range", "\"2\""}}));
}

TEST(Piece, TheRestOfItIsOneRangeAtTheOtherEnd) {
  EXPECT_EQ(RestOf(Of(0, 3), kStrong, 10), (ByteRange{.first = 4, .last = 9}));
  EXPECT_EQ(RestOf(Of(4, 9), kStrong, 10), (ByteRange{.first = 0, .last = 3}));
  EXPECT_EQ(RestOf(Of(4, 8), kStrong, 10), std::nullopt);
  EXPECT_EQ(RestOf(Of(0, 9), kStrong, 10), std::nullopt);
  EXPECT_EQ(RestOf(Of(0, 3), kStrong, 9), std::nullopt);
  EXPECT_EQ(RestOf(Of(0, 3), kWeak, 10), std::nullopt);
  EXPECT_EQ(RestOf(Of(0, 3), {.last_modified = "Sat, 21 Nov 2020 10:00:00 GMT"}, 10), std::nullopt);
}

TEST(Piece, PartsOfOneRepresentationThatTouchAreCombined) {
  auto combined = [](const Piece& a, const Piece& b, uint64_t limit = 10) {
    return Combined(a, kStrong, b, kStrong, limit);
  };
  EXPECT_EQ(combined(Of(0, 3), Of(4, 6)), Of(0, 6));
  EXPECT_EQ(combined(Of(4, 6), Of(0, 3)), Of(0, 6));
  EXPECT_EQ(combined(Of(0, 5), Of(3, 9)), Of(0, 9));
  EXPECT_EQ(combined(Of(2, 3), Of(0, 9)), Of(0, 9));
  EXPECT_EQ(combined(Of(0, 3), Of(5, 6)), std::nullopt);
  EXPECT_EQ(combined(Of(0, 3), Of(4, 6), 7), Of(0, 6));
  EXPECT_EQ(combined(Of(0, 3), Of(4, 6), 6), std::nullopt);
}

TEST(Piece, PartsWithoutTheSameStrongValidatorAreNotCombined) {
  const Piece longer{.range = {.first = 4, .last = 6}, .whole_length = 11};
  EXPECT_EQ(Combined(Of(0, 3), kStrong, longer, kStrong, 10), std::nullopt);
  EXPECT_EQ(Combined(Of(0, 3), kStrong, Of(4, 6), {.etag = "\"2\""}, 10), std::nullopt);
  EXPECT_EQ(Combined(Of(0, 3), kWeak, Of(4, 6), kWeak, 10), std::nullopt);
  EXPECT_EQ(Combined(Of(0, 3), {}, Of(4, 6), {}, 10), std::nullopt);
}

}  // namespace
}  // namespace meridian::edge
