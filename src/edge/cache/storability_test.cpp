#include "edge/cache/storability.hpp"

#include <string>

#include <gtest/gtest.h>

#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"
#include "edge/cache/tags.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderField;

Storability Judge(const wire::http::RequestHead& request, const wire::http::ResponseHead& response,
                  StoreRules rules = {}) {
  rules.max_object_bytes = 1000;
  CacheRequest asked = ReadCacheRequest(request);
  ResponseDirectives directives = DirectivesOf(response.fields);
  auto lifetime =
      FreshnessLifetime(directives, response.fields, response.status, WallTime{}, false);
  return JudgeStorability({.request = asked,
                           .response = response,
                           .directives = directives,
                           .lifetime = lifetime,
                           .rules = rules});
}
Storability Judge(std::initializer_list<HeaderField> fields, int status = 200) {
  return Judge(Get("/"), Answer(status, fields));
}

TEST(Storability, NothingIsStoredWithoutExplicitFreshness) {
  EXPECT_EQ(Judge({{"Cache-Control", "max-age=60"}}), Storability::kStore);
  EXPECT_EQ(Judge({}), Storability::kFreshness);
  EXPECT_EQ(Judge({{"Cache-Control", "public"}}), Storability::kFreshness);
  EXPECT_EQ(Judge({{"Cache-Control", "max-age=0"}}), Storability::kFreshness);
  EXPECT_EQ(Judge({{"Cache-Control", "max-age=60, no-cache"}}), Storability::kFreshness);
  EXPECT_EQ(Judge({{"Cache-Control", "max-age=0, stale-while-revalidate=9"}}), Storability::kStore);
}

TEST(Storability, ANeverFreshResponseIsStoredIfTheOriginCanValidateIt) {
  constexpr HeaderField kTag = {"ETag", "\"1\""};
  constexpr HeaderField kDate = {"Last-Modified", "Sat, 21 Nov 2020 10:00:00 GMT"};
  for (const char* control : {"no-cache", "max-age=0", "s-maxage=0", "max-age=60, no-cache"}) {
    EXPECT_EQ(Judge({{"Cache-Control", control}}), Storability::kFreshness) << control;
    EXPECT_EQ(Judge({{"Cache-Control", control}, kTag}), Storability::kStore) << control;
    // The date of one visitor's page may be that of another's.
    EXPECT_EQ(Judge({{"Cache-Control", control}, kDate}), Storability::kFreshness) << control;
    const std::string for_all = std::string("public, ") + control;
    EXPECT_EQ(Judge({{"Cache-Control", for_all}, kDate}), Storability::kStore) << control;
    // A condition changes only a 200.
    EXPECT_EQ(Judge({{"Cache-Control", control}, kTag}, 404), Storability::kFreshness) << control;
  }
  EXPECT_EQ(Judge({{"Expires", "0"}, kTag}), Storability::kStore);
  EXPECT_EQ(Judge({kTag, kDate}), Storability::kFreshness);
  EXPECT_EQ(Judge({{"Cache-Control", "no-cache"}, kTag, {"Set-Cookie", "id=1"}}),
            Storability::kSetCookie);
}

TEST(Storability, TheNoStoreDirectiveIsNotPresentInTheResponseOrRequest) {
  EXPECT_EQ(Judge({{"Cache-Control", "no-store, max-age=60"}}), Storability::kNoStore);
  EXPECT_EQ(Judge(Get("/", {{"Cache-Control", "no-store"}}),
                  Answer(200, {{"Cache-Control", "max-age=60"}})),
            Storability::kRequest);
}

TEST(Storability, MustUnderstandOverridesNoStoreWhenTheStatusIsUnderstood) {
  constexpr HeaderField kField = {"Cache-Control", "must-understand, no-store, max-age=60"};
  EXPECT_EQ(Judge({kField}), Storability::kStore);
  EXPECT_EQ(Judge({kField}, 299), Storability::kStatus);
}

TEST(Storability, ThePrivateDirectiveIsNotPresentIfTheCacheIsShared) {
  EXPECT_EQ(Judge({{"Cache-Control", "private, max-age=60"}}), Storability::kPrivate);
}

TEST(Storability, AuthorizationIsSharedOnlyWhereTheResponseExplicitlyAllowsIt) {
  auto judge = [](std::string_view control) {
    return Judge(Get("/", {{"Authorization", "Basic x"}}),
                 Answer(200, {{"Cache-Control", control}}));
  };
  EXPECT_EQ(judge("max-age=60"), Storability::kAuthorization);
  EXPECT_EQ(judge("max-age=60, public"), Storability::kStore);
  EXPECT_EQ(judge("max-age=60, must-revalidate"), Storability::kStore);
  EXPECT_EQ(judge("s-maxage=60"), Storability::kStore);
}

TEST(Storability, SetCookieIsSharedOnlyWhereSettingsAndResponseSaySo) {
  auto judge = [](std::string_view name, std::string_view control, bool setting) {
    return Judge(Get("/"), Answer(200, {{"Set-Cookie", "id=1"}, {name, control}}),
                 {.set_cookie = setting});
  };
  for (const char* control : {"s-maxage=60", "public, max-age=60"}) {
    EXPECT_EQ(judge("Cache-Control", control, true), Storability::kStore) << control;
    EXPECT_EQ(judge("Cache-Control", control, false), Storability::kSetCookie) << control;
  }
  EXPECT_EQ(judge("Cache-Control", "max-age=60", true), Storability::kSetCookie);
  EXPECT_EQ(judge("CDN-Cache-Control", "max-age=60", true), Storability::kSetCookie);
  EXPECT_EQ(judge("CDN-Cache-Control", "public, max-age=60", true), Storability::kStore);
}

TEST(Storability, TheStatusCodeIsFinal) {
  for (int status : {204, 299, 301, 302, 308, 399, 400, 401, 403, 404, 410, 414, 429, 499, 500, 502,
                     503, 504, 599}) {
    EXPECT_EQ(Judge({{"Cache-Control", "max-age=60"}}, status), Storability::kStore) << status;
    EXPECT_EQ(Judge({}, status), Storability::kFreshness) << status;
  }
  for (int status : {100, 103, 199, 600, 999}) {
    EXPECT_EQ(Judge({{"Cache-Control", "max-age=60"}}, status), Storability::kStatus) << status;
  }
}

TEST(Storability, AnErrorAboutARequestPartOutsideTheKeyCannotPoisonTheCache) {
  for (int status : {206, 304, 412, 413, 416, 417, 431}) {
    EXPECT_EQ(Judge({{"Cache-Control", "max-age=60"}}, status), Storability::kStatus) << status;
  }
}

TEST(Storability, ErrorsOfTheServerAreStoredUnlessTheSettingsForbidIt) {
  auto judge = [](int status) {
    return Judge(Get("/"), Answer(status, {{"Cache-Control", "max-age=60"}}), {.errors = false});
  };
  for (int status : {500, 503, 599}) EXPECT_EQ(judge(status), Storability::kStatus) << status;
  EXPECT_EQ(judge(404), Storability::kStore);
}

TEST(Storability, AVaryOfAsteriskNeverMatches) {
  EXPECT_EQ(Judge({{"Cache-Control", "max-age=60"}, {"Vary", "Accept, *"}}), Storability::kVary);
}

TEST(Storability, ABodyThatEndsWithTheConnectionIsNotStored) {
  wire::http::ResponseHead answer = Answer(200, {{"Cache-Control", "max-age=60"}});
  answer.body = {wire::http::BodyFraming::Kind::kUntilClose, 0};
  answer.content_length = {};
  EXPECT_EQ(Judge(Get("/"), answer), Storability::kFraming);
}

TEST(Storability, AnObjectOfTheGreatestSizeIsStoredAndOneByteMoreIsNot) {
  wire::http::ResponseHead answer = Answer(200, {{"Cache-Control", "max-age=60"}});
  answer.content_length = 1000;
  EXPECT_EQ(Judge(Get("/"), answer), Storability::kStore);
  answer.content_length = 1001;
  EXPECT_EQ(Judge(Get("/"), answer), Storability::kTooLarge);
}

TEST(Storability, TheTagsOfAListInSurrogateKeyHadCommas) {
  wire::http::HeaderFields fields;
  fields.Add("Surrogate-Key", "a, b c");
  fields.Add("Cache-Tag", "d e,f");
  EXPECT_EQ(ReadTags(fields), (std::vector<std::string_view>{"a", "b", "c", "d e", "f"}));
}

TEST(Storability, TheTagsOfAnObjectAreBounded) {
  std::string tags = "t0";
  for (size_t i = 1; i < kMaxTags; ++i) tags += " t" + std::to_string(i);
  wire::http::ResponseHead answer = Answer(200, {{"Cache-Control", "max-age=60"}});
  answer.fields.Add("Surrogate-Key", tags);
  EXPECT_EQ(Judge(Get("/"), answer), Storability::kStore);
  answer.fields.Add("Cache-Tag", "t0, t1,, ");  // no new one
  EXPECT_EQ(Judge(Get("/"), answer), Storability::kStore);
  answer.fields.Add("Cache-Tag", "one more");
  EXPECT_EQ(Judge(Get("/"), answer), Storability::kTags);
  std::string longest(kMaxTagBytes, 'a');
  answer.fields = Fields({{"Cache-Control", "max-age=60"}, {"Cache-Tag", longest}});
  EXPECT_EQ(Judge(Get("/"), answer), Storability::kStore);
  longest += 'a';
  answer.fields = Fields({{"Cache-Control", "max-age=60"}, {"Cache-Tag", longest}});
  EXPECT_EQ(Judge(Get("/"), answer), Storability::kTags);
}

}  // namespace
}  // namespace meridian::edge
