#include "site/view/view.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/limits.hpp"

namespace meridian::site {
namespace {

using testing::HasSubstr;

SiteView TwoDataCenters() {
  return {.number = 17,
          .datacenters = {{.name = "us-east",
                           .address = IpAddress::V4(127, 1, 0, 1),
                           .location = {.latitude = 39.04, .longitude = -77.49},
                           .weight = 80,
                           .capacity_rps = 5000,
                           .state = DataCenterState::kServing,
                           .load_rps = 1200,
                           .available = false,
                           .problem = "the session tier hangs",
                           .takes_forwarded = false,
                           .owns_notices = true},
                          {.name = "us-west",
                           .address = *IpAddress::Parse("2001:db8::1"),
                           .location = {.latitude = 37.34, .longitude = -121.89},
                           .weight = 20,
                           .capacity_rps = 0,
                           .state = DataCenterState::kDown,
                           .load_rps = 0}},
          .instances = {{.id = "us-east-1",
                         .datacenter = "us-east",
                         .address = {.address = IpAddress::V4(127, 1, 0, 1), .port = 20001},
                         .release = "2",
                         .state = InstanceState::kHealthy}},
          .links = {{.from = "us-east", .to = "us-west", .up = false},
                    {.from = "us-west", .to = "us-east", .up = true}},
          .agreement = {{"domain", "0123456789abcdef"}, {"[edge] port", "fedcba9876543210"}}};
}

constexpr std::string_view kEmptyView =
    R"({"number":1,"datacenters":[],"instances":[],"links":[]})";

// The JSON of TwoDataCenters with `from` replaced by `to`.
Result<SiteView> Parsed(std::string_view from, std::string_view to) {
  std::string text = ToJson(TwoDataCenters()).value();
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in " << text;
  return FromJson(text.replace(at, from.size(), to));
}

TEST(SiteView, SurvivesTheWayThroughJson) {
  for (const SiteView& view : {SiteView{}, TwoDataCenters()}) {
    Result<std::string> text = ToJson(view);
    ASSERT_TRUE(text);
    EXPECT_FALSE(text->contains('\n'));
    Result<SiteView> back = FromJson(*text);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, view);
  }
}

TEST(SiteView, EveryStateSurvivesTheWayThroughJson) {
  for (auto state :
       {DataCenterState::kStarting, DataCenterState::kServing, DataCenterState::kDraining,
        DataCenterState::kDrained, DataCenterState::kDown}) {
    SiteView view = TwoDataCenters();
    view.datacenters[0].state = state;
    EXPECT_EQ(FromJson(*ToJson(view))->datacenters[0].state, state);
  }
  for (auto use :
       {InstanceUse::kUnknown, InstanceUse::kUsed, InstanceUse::kSlowStart, InstanceUse::kOnTrial,
        InstanceUse::kEjected, InstanceUse::kRefusing, InstanceUse::kFailing}) {
    SiteView view = TwoDataCenters();
    view.instances[0].use = use;
    EXPECT_EQ(FromJson(*ToJson(view))->instances[0].use, use);
  }
  for (auto state : {InstanceState::kStarting, InstanceState::kHealthy, InstanceState::kUnhealthy,
                     InstanceState::kDraining, InstanceState::kStopped}) {
    SiteView view = TwoDataCenters();
    view.instances[0].state = state;
    EXPECT_EQ(FromJson(*ToJson(view))->instances[0].state, state);
  }
}

TEST(SiteView, UnknownKeysOfANewerReleaseArePassedOver) {
  Result<SiteView> view = Parsed("\"number\":17", "\"number\":17,\"new\":{\"deep\":[1]}");
  ASSERT_TRUE(view);
  EXPECT_EQ(*view, TwoDataCenters());
  EXPECT_TRUE(Parsed("\"number\":17", "\"number\":17,\"new\":1"));
}

TEST(SiteView, AnEarlierReleaseSaysNothingOfAvailabilityAndAgreement) {
  Result<SiteView> view = FromJson(
      R"({"number":1,"datacenters":[{"name":"a","address":"127.1.0.1","latitude":0,"longitude":0,)"
      R"("weight":1,"capacity_rps":0,"state":"serving","load_rps":0}],"instances":[],)"
      R"("links":[]})");
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_TRUE(view->datacenters[0].available);
  EXPECT_TRUE(view->agreement.empty());
}

TEST(SiteView, AnAgreementThatIsNoObjectOfTextsIsRefused) {
  EXPECT_FALSE(Parsed(R"("domain":"0123456789abcdef")", R"("domain":7)"));
  EXPECT_FALSE(
      Parsed(R"("domain":"0123456789abcdef")", "\"domain\":\"" + std::string(1000, 'x') + "\""));
}

TEST(SiteView, WrongTypesAndMissingKeysAreRefusedByName) {
  struct Case {
    std::string_view from, to, message;
  };
  for (const Case& c : {
           Case{"\"number\":17", "\"number\":\"17\"", "view.number"},
           Case{"\"number\":17", "\"number\":-1", "view.number"},
           Case{"\"number\":17", "\"number\":1.5", "view.number"},
           Case{"\"number\":17", "\"nr\":17", "view.number: missing"},
           Case{"\"number\":17", "\"number\":9007199254740993", "view.number: more than"},
           Case{"\"weight\":80", "\"weight\":4294967296", "view.datacenters[0].weight"},
           Case{"\"latitude\":39.04", "\"latitude\":90.5", "view.datacenters[0].latitude"},
           Case{"\"latitude\":39.04", "\"latitude\":null", "view.datacenters[0].latitude"},
           Case{"\"127.1.0.1\"", "\"127.1\"", "view.datacenters[0].address"},
           Case{"\"127.1.0.1:20001\"", "\"127.1.0.1\"", "view.instances[0].address"},
           Case{"\"serving\"", "\"asleep\"", "view.datacenters[0].state: unknown"},
           Case{"\"healthy\"", "\"serving\"", "view.instances[0].state: unknown"},
           Case{"\"release\":\"2\"", "\"release\":2", "view.instances[0].release"},
           Case{"\"up\":false", "\"up\":0", "view.links[0].up"},
           Case{"\"name\":\"us-east\"", "\"name\":\"\"", "view.datacenters[0].name"},
           Case{"\"name\":\"us-east\"", "\"name\":\"us\\neast\"", "view.datacenters[0].name"},
           Case{"\"links\":[", "\"links\":[7,", "view.links[0] is not an object"},
           Case{"\"links\":[", "\"links\":{},\"x\":[", "view.links: not an array"},
       }) {
    Result<SiteView> view = Parsed(c.from, c.to);
    ASSERT_FALSE(view) << c.to;
    EXPECT_THAT(view.error().message, HasSubstr(c.message));
  }
}

TEST(SiteView, BrokenInvariantsAreRefused) {
  EXPECT_THAT(Parsed("\"name\":\"us-west\"", "\"name\":\"us-east\"").error().message,
              HasSubstr("datacenters: named twice"));
  EXPECT_THAT(Parsed("\"datacenter\":\"us-east\"", "\"datacenter\":\"eu\"").error().message,
              HasSubstr("in no data center of the view"));
  SiteView view = TwoDataCenters();
  view.links[1] = view.links[0];
  EXPECT_FALSE(FromJson(*ToJson(view)));
  view = TwoDataCenters();
  view.instances.push_back(view.instances[0]);
  EXPECT_FALSE(FromJson(*ToJson(view)));
}

TEST(SiteView, WhatIsNoJsonObjectIsRefused) {
  for (const char* text : {"", "[]", "null", "{", "{}{}", "{\"number\":1,}", "{\"a\":\"\xff\"}"}) {
    EXPECT_EQ(FromJson(text).error().code, Errc::kInvalid) << text;
  }
  EXPECT_TRUE(FromJson(kEmptyView));
}

TEST(SiteView, DeepNestingIsRefusedWithoutRecursingIntoIt) {
  std::string deep(kMaxViewBytes, '[');
  EXPECT_FALSE(FromJson(deep));
  std::string half(kMaxViewBytes / 2 - 10, '[');
  std::string closed = "{\"x\":" + half + std::string(half.size(), ']') + "}";
  EXPECT_FALSE(FromJson(closed));
}

TEST(SiteView, ListsUpToTheirLimitsAndNotOneMore) {
  SiteView view;
  for (size_t i = 0; i < kMaxDataCenters; ++i) {
    view.datacenters.push_back({.name = fmt::format("dc{}", i), .address = {}, .location = {}});
  }
  for (size_t i = 0; i < kMaxViewInstances; ++i) {
    view.instances.push_back(
        {.id = fmt::format("i{}", i), .datacenter = "dc0", .address = {}, .release = "1"});
  }
  EXPECT_TRUE(FromJson(ToJson(view).value()));
  SiteView more = view;
  more.instances.push_back({.id = "one-more", .datacenter = "dc0", .address = {}, .release = "1"});
  EXPECT_EQ(FromJson(ToJson(more).value()).error().code, Errc::kTooLarge);
  more = view;
  more.datacenters.push_back({.name = "one-more", .address = {}, .location = {}});
  EXPECT_EQ(FromJson(ToJson(more).value()).error().code, Errc::kTooLarge);
}

TEST(SiteView, TextsUpToTheLimitAndNotOneByteMore) {
  SiteView view = TwoDataCenters();
  view.instances[0].release = std::string(kMaxViewNameBytes, 'x');
  EXPECT_TRUE(FromJson(*ToJson(view)));
  view.instances[0].release += 'x';
  EXPECT_EQ(FromJson(*ToJson(view)).error().code, Errc::kTooLarge);
}

TEST(SiteView, OneThatIsTooLargeIsNotSentAndNotRead) {
  SiteView view;
  for (int i = 0; i < 6000; ++i) view.links.push_back({.from = std::string(200, 'x'), .to = "y"});
  EXPECT_EQ(ToJson(view).error().code, Errc::kTooLarge);
  std::string text(kEmptyView);
  text += std::string(kMaxViewBytes - text.size(), ' ');
  EXPECT_TRUE(FromJson(text));
  EXPECT_EQ(FromJson(text + " ").error().code, Errc::kTooLarge);
}

TEST(SiteView, TextThatIsNotUtf8DoesNotThrow) {
  SiteView view = TwoDataCenters();
  view.instances[0].release = "\xff";
  Result<SiteView> back = FromJson(ToJson(view).value());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->instances[0].release, "\xef\xbf\xbd");
}

TEST(RoundLoad, KeepsTwoSignificantDigits) {
  EXPECT_EQ(RoundLoad(0), 0u);
  EXPECT_EQ(RoundLoad(0.4), 0u);
  EXPECT_EQ(RoundLoad(1.6), 2u);
  EXPECT_EQ(RoundLoad(99.4), 99u);
  EXPECT_EQ(RoundLoad(1234.5), 1200u);
  EXPECT_EQ(RoundLoad(1250), 1300u);
  EXPECT_EQ(RoundLoad(99999), 100000u);
  EXPECT_EQ(RoundLoad(-5), 0u);
  EXPECT_EQ(RoundLoad(std::nan("")), 0u);
  EXPECT_EQ(RoundLoad(1e300), 4000000000u);
}

}  // namespace
}  // namespace meridian::site
