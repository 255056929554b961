#include "edge/cache/validation.hpp"

#include <gtest/gtest.h>

#include "edge/cache/message_fixture.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderField;
using wire::http::HeaderFields;

constexpr std::string_view kOld = "Sat, 21 Nov 2026 09:00:00 GMT";
constexpr std::string_view kNew = "Sat, 21 Nov 2026 10:00:00 GMT";
const Validators kStored = {.etag = "\"v1\"", .last_modified = kOld, .date = kNew};

bool NotModified(std::initializer_list<HeaderField> fields, const Validators& stored = kStored) {
  return IsNotModified(ReadCacheRequest(Get("/", fields)), stored, WallTime{});
}

TEST(Validation, IfNoneMatchUsesTheWeakComparison) {
  EXPECT_TRUE(NotModified({{"If-None-Match", "\"v0\", W/\"v1\""}}));
  EXPECT_FALSE(NotModified({{"If-None-Match", "\"v2\""}}));
  EXPECT_TRUE(NotModified({{"If-None-Match", "*"}}));
  EXPECT_FALSE(NotModified({}));
}

TEST(Validation, TwoLinesOfIfNoneMatchAreOneList) {
  const wire::http::RequestHead request =
      Get("/", {{"If-None-Match", "\"a\""}, {"if-none-match", "\"b\", \"c\""}});
  const CacheRequest asked = ReadCacheRequest(request);
  EXPECT_EQ(asked.bypass, Bypass::kNone);
  for (std::string_view tag : {"\"a\"", "\"b\"", "W/\"c\""}) {
    EXPECT_TRUE(IsNotModified(asked, {.etag = tag}, {})) << tag;
  }
  EXPECT_FALSE(IsNotModified(asked, {.etag = "\"d\""}, {}));
}

TEST(Validation, ARecipientMustIgnoreIfModifiedSinceIfTheRequestContainsIfNoneMatch) {
  EXPECT_FALSE(NotModified({{"If-None-Match", "\"v2\""}, {"If-Modified-Since", kNew}}));
}

TEST(Validation, IfModifiedSinceComparesWithLastModifiedElseWithDate) {
  EXPECT_TRUE(NotModified({{"If-Modified-Since", kOld}}));
  EXPECT_TRUE(NotModified({{"If-Modified-Since", kNew}}));
  EXPECT_FALSE(NotModified({{"If-Modified-Since", "Sat, 21 Nov 2026 08:59:59 GMT"}}));
  EXPECT_FALSE(NotModified({{"If-Modified-Since", "yesterday"}}));
  EXPECT_FALSE(NotModified({{"If-Modified-Since", kOld}}, {.date = kNew}));
  EXPECT_TRUE(NotModified({{"If-Modified-Since", kNew}}, {.date = kNew}));
}

TEST(Validation, TheOriginIsAskedByAllValidators) {
  HeaderFields fields;
  AddConditions(kStored, false, &fields);
  EXPECT_EQ(fields.Find("If-None-Match"), "\"v1\"");
  EXPECT_EQ(fields.Find("If-Modified-Since"), kOld);
}

TEST(Validation, ValidationEachTimeUsesTheTagWithoutTheDate) {
  HeaderFields by_tag;
  AddConditions(kStored, true, &by_tag);
  EXPECT_EQ(by_tag.Find("If-None-Match"), "\"v1\"");
  EXPECT_FALSE(by_tag.Has("If-Modified-Since"));
  HeaderFields by_date;
  AddConditions({.last_modified = kOld}, true, &by_date);
  EXPECT_EQ(by_date.Find("If-Modified-Since"), kOld);
}

TEST(Validation, ValidationEachTimeByDateNeedsThe304ToRepeatIt) {
  constexpr Validators kDated = {.last_modified = kOld};
  EXPECT_FALSE(Confirms({}, kDated, true));
  EXPECT_FALSE(Confirms(Fields({{"Last-Modified", kNew}}), kDated, true));
  EXPECT_TRUE(Confirms(Fields({{"Last-Modified", kOld}}), kDated, true));
  EXPECT_TRUE(Confirms({}, kDated, false));
  EXPECT_TRUE(Confirms({}, kStored, true));  // by its tag
}

TEST(Validation, A304ConfirmsOnlyTheResponseWhoseValidatorItHas) {
  EXPECT_TRUE(Confirms(Fields({{"ETag", "\"v1\""}}), kStored, false));
  EXPECT_FALSE(Confirms(Fields({{"ETag", "\"v2\""}}), kStored, false));
  EXPECT_TRUE(Confirms(Fields({{"Last-Modified", kOld}}), kStored, false));
  EXPECT_FALSE(Confirms(Fields({{"Last-Modified", kNew}}), kStored, false));
  EXPECT_TRUE(Confirms({}, kStored, false));
}

TEST(Validation, AWeakTagInA304DidNotConfirmTheStoredOneThatIsStrong) {
  EXPECT_TRUE(Confirms(Fields({{"ETag", "W/\"v1\""}}), kStored, false));
  EXPECT_TRUE(Confirms(Fields({{"ETag", "W/\"v1\""}}), {.etag = "W/\"v1\""}, false));
  // RFC 9111 4.3.4: a strong validator selects responses with the same strong validator.
  EXPECT_FALSE(Confirms(Fields({{"ETag", "\"v1\""}}), {.etag = "W/\"v1\""}, false));
}

TEST(Validation, A304KeepsFieldsThatAreNotRepresentationMetadata) {
  for (const char* kept :
       {"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
        "Access-Control-Expose-Headers", "Content-Security-Policy", "Content-Location", "ETag",
        "Last-Modified", "Vary", "Expires", "Cache-Control", "Date", "Set-Cookie", "X-Unknown",
        "Strict-Transport-Security", "Content-Disposition"}) {
    EXPECT_TRUE(BelongsIn304(kept)) << kept;
  }
  for (const char* left_out : {"Content-Type", "content-length", "Content-Encoding",
                               "Content-Language", "Content-Range", "Repr-Digest"}) {
    EXPECT_FALSE(BelongsIn304(left_out)) << left_out;
  }
}

TEST(Validation, A304UpdatesTheStoredFieldsButNotThoseThatDescribeTheBody) {
  HeaderFields stored = Fields({{"Content-Type", "text/plain"},
                                {"Content-Encoding", "gzip"},
                                {"X-A", "1"},
                                {"X-A", "2"},
                                {"Age", "100"},
                                {"Date", kOld},
                                {"Cache-Control", "max-age=1"}});
  HeaderFields update = Fields({{"Cache-Control", "max-age=60"},
                                {"X-A", "3"},
                                {"Content-Type", "text/html"},
                                {"Connection", "X-B"},
                                {"X-B", "hop"},
                                {"Content-Encoding", "br"}});
  HeaderFields fields = UpdatedFields(stored, update);
  EXPECT_EQ(fields.Find("Content-Type"), "text/plain");
  EXPECT_EQ(fields.Find("Content-Encoding"), "gzip");
  EXPECT_EQ(fields.Find("X-A"), "3");
  EXPECT_EQ(fields.Count("X-A"), 1U);
  EXPECT_EQ(fields.Find("Cache-Control"), "max-age=60");
  EXPECT_FALSE(fields.Has("Age"));
  EXPECT_FALSE(fields.Has("Date"));  // the 304 has none: the time of its arrival counts
  EXPECT_FALSE(fields.Has("X-B"));
}

TEST(Validation, AnAnswerToHeadFreshensOnlyWhatHasAValidatorThatItRepeats) {
  auto judge = [](std::initializer_list<wire::http::HeaderField> fields, const Validators& stored) {
    return JudgeHead(Answer(200, fields), stored, 5);
  };
  EXPECT_EQ(judge({}, {}), HeadVerdict::kUnknown);  // two pages may have one length
  EXPECT_EQ(judge({}, kStored), HeadVerdict::kUnknown);
  EXPECT_EQ(judge({{"Last-Modified", kOld}}, kStored), HeadVerdict::kUnknown);
  constexpr Validators kWeak = {.etag = "W/\"v1\""};
  EXPECT_EQ(judge({{"ETag", "W/\"v1\""}}, kWeak), HeadVerdict::kUnknown);
  constexpr Validators kDated = {.last_modified = kOld};
  EXPECT_EQ(judge({{"Last-Modified", kOld}}, kDated), HeadVerdict::kSame);
  EXPECT_EQ(judge({{"ETag", "\"v1\""}, {"Last-Modified", kOld}}, kStored), HeadVerdict::kSame);
}

TEST(Validation, ALengthOfZeroInAResponseToHeadIsIgnored) {
  wire::http::ResponseHead head = Answer(200, {});
  head.content_length = 0;
  EXPECT_EQ(JudgeHead(head, kStored, 5), HeadVerdict::kUnknown);
  head.fields = Fields({{"ETag", "\"v1\""}});
  EXPECT_EQ(JudgeHead(head, kStored, 5), HeadVerdict::kUnknown);
  head.fields = Fields({{"ETag", "\"v2\""}});
  EXPECT_EQ(JudgeHead(head, kStored, 5), HeadVerdict::kOther);
}

TEST(Validation, AnAnswerToHeadShowsThatTheStoredGetIsOutOfDate) {
  auto judge = [](std::initializer_list<wire::http::HeaderField> fields, uint64_t length) {
    return JudgeHead(Answer(200, fields), kStored, length);
  };
  EXPECT_EQ(judge({{"ETag", "\"v1\""}}, 5), HeadVerdict::kSame);
  EXPECT_EQ(judge({{"ETag", "\"v1\""}}, 6), HeadVerdict::kOther);
  EXPECT_EQ(judge({{"ETag", "\"v2\""}}, 5), HeadVerdict::kOther);
  EXPECT_EQ(judge({{"Last-Modified", kNew}}, 5), HeadVerdict::kOther);
  wire::http::ResponseHead silent = Answer(200, {});
  silent.content_length.reset();
  EXPECT_EQ(JudgeHead(silent, kStored, 5), HeadVerdict::kUnknown);
}

}  // namespace
}  // namespace meridian::edge
