#include "edge/costs/waste.hpp"

#include <chrono>
#include <utility>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

using Stored = WasteInput::Stored;

TEST(Waste, TheFirstStorableResponseIsNoWaste) { EXPECT_FALSE(JudgeWaste({})); }

TEST(Waste, AnAnswerWithoutFreshnessIsFromItsSecondFetchOn) {
  WasteInput input{.content = ContentKind::kPng, .storability = Storability::kFreshness};
  EXPECT_FALSE(JudgeWaste(input));
  input.asked_before = true;
  EXPECT_EQ(JudgeWaste(input), Waste::kNoFreshness);
  EXPECT_EQ(ProposedHeader(Waste::kNoFreshness, ContentKind::kPng),
            "Cache-Control: public, max-age=86400");
  EXPECT_EQ(ProposedHeader(Waste::kNoFreshness, ContentKind::kHtml),
            "Cache-Control: public, max-age=60 (if all visitors may see it)");
  input.changed = true;
  EXPECT_FALSE(JudgeWaste(input)) << "content that changes has to be fetched";
}

TEST(Waste, NeverFreshIsOnlyWhenTheContentStaysTheSame) {
  WasteInput input{
      .storability = Storability::kFreshness, .says_freshness = true, .asked_before = true};
  EXPECT_FALSE(JudgeWaste(input));
  input.same_as_before = true;
  EXPECT_EQ(JudgeWaste(input), Waste::kNeverFresh);
}

TEST(Waste, NoStoreAndPrivateAreWasteOnlyWhenTheContentStaysTheSame) {
  for (auto [storability, waste] :
       {std::pair{Storability::kNoStore, Waste::kNoStore},
        std::pair{Storability::kPrivate, Waste::kPrivate},
        std::pair{Storability::kAuthorization, Waste::kAuthorization}}) {
    WasteInput input{.storability = storability, .asked_before = true};
    EXPECT_FALSE(JudgeWaste(input)) << WasteName(waste);
    input.same_as_before = true;
    EXPECT_EQ(JudgeWaste(input), waste);
  }
}

TEST(Waste, ACookieIsWithAnImageButNotWithAPageThatChanges) {
  WasteInput input{.content = ContentKind::kJpeg, .storability = Storability::kSetCookie};
  EXPECT_FALSE(JudgeWaste(input));
  input.asked_before = true;
  EXPECT_EQ(JudgeWaste(input), Waste::kSetCookie);
  input.content = ContentKind::kHtml;
  EXPECT_FALSE(JudgeWaste(input));
  input.same_as_before = true;
  EXPECT_EQ(JudgeWaste(input), Waste::kSetCookie);
}

TEST(Waste, AVariantOfEachVisitorIsByUserAgentOrCookieAlone) {
  WasteInput input{.other_variant = true, .vary = "accept-encoding"};
  EXPECT_FALSE(JudgeWaste(input));
  input.vary = "accept-encoding,user-agent";
  EXPECT_EQ(JudgeWaste(input), Waste::kVaryByVisitor);
  input.vary = "cookie";
  EXPECT_EQ(JudgeWaste(input), Waste::kVaryByVisitor);
  input.vary = "cookie-consent";
  EXPECT_FALSE(JudgeWaste(input));
  input = {.vary = "cookie"};
  EXPECT_FALSE(JudgeWaste(input)) << "the first variant has to be fetched";
}

TEST(Waste, VaryingByEverythingIs) {
  EXPECT_EQ(JudgeWaste({.storability = Storability::kVary, .asked_before = true}), Waste::kVary);
}

TEST(Waste, AnExpiredResponseWithoutValidatorIsWaste) {
  EXPECT_EQ(JudgeWaste({.stored = Stored::kWithoutValidator}), Waste::kNoValidator);
}

TEST(Waste, AChangedBodyIsNoWasteAndTheSameBodyIgnoresTheValidator) {
  WasteInput input{.asked_before = true, .stored = Stored::kWithValidator};
  EXPECT_FALSE(JudgeWaste(input));
  input.same_as_before = true;
  EXPECT_EQ(JudgeWaste(input), Waste::kIgnoresValidator);
  input.never_fresh = true;
  EXPECT_EQ(JudgeWaste(input), Waste::kNeverFresh);
}

TEST(Waste, AValidationIsWasteWhenALongerLifetimeWouldSaveIt) {
  WasteInput image{.content = ContentKind::kPng, .status = 304, .stored = Stored::kWithValidator};
  image.lifetime = std::chrono::hours{24} - std::chrono::seconds{1};
  EXPECT_EQ(JudgeWaste(image), Waste::kShortLived);
  image.lifetime = std::chrono::hours{24};
  EXPECT_FALSE(JudgeWaste(image));
  WasteInput page{.content = ContentKind::kHtml, .status = 304, .stored = Stored::kWithValidator};
  page.lifetime = std::chrono::seconds{599};
  EXPECT_EQ(JudgeWaste(page), Waste::kShortLived);
  page.lifetime = std::chrono::seconds{600};
  EXPECT_FALSE(JudgeWaste(page));
}

TEST(Waste, AValidationWastesARequestAndNoBody) {
  WasteInput input{.status = 304, .stored = Stored::kWithValidator};
  EXPECT_EQ(JudgeWaste(input), Waste::kShortLived);
  EXPECT_FALSE(WastesBody(Waste::kShortLived));
  EXPECT_TRUE(WastesBody(Waste::kNoFreshness));
}

TEST(Waste, ARequestThatRefusesTheStoredResponseIsNoWaste) {
  EXPECT_FALSE(JudgeWaste({.status = 304, .demanded = true, .stored = Stored::kWithValidator}));
  EXPECT_FALSE(JudgeWaste({.demanded = true, .stored = Stored::kWithoutValidator}));
}

TEST(Waste, ErrorsAndA304ForTheVisitorsConditionsAreNoWaste) {
  EXPECT_FALSE(JudgeWaste({.status = 304}));
  EXPECT_FALSE(JudgeWaste({.status = 500, .stored = Stored::kWithoutValidator}));
  EXPECT_FALSE(JudgeWaste({.storability = Storability::kTooLarge, .same_as_before = true}));
}

}  // namespace
}  // namespace meridian::edge
