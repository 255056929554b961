#include "site/view/cdn_report.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/limits.hpp"

namespace meridian::site {
namespace {

CdnReport Whole() {
  return {.seconds = 60,
          .traffic = {{.type = "image/png",
                       .to_visitors = {10, 1000},
                       .from_cache = {8, 800},
                       .from_origin = {1, 100},
                       .between = {1, 101}}},
          .wastes = {{.url = "http://a/x",
                      .kind = "no-freshness",
                      .wrong = "does not say how long it is fresh",
                      .mend = "Cache-Control: public, max-age=60",
                      .wasted = {3, 300}}}};
}

TEST(CdnReport, ComesBackAsItWent) {
  Result<CdnReport> read = ReadCdnReport(ToJson(Whole()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, Whole());
}

TEST(CdnReport, WhatIsMissingIsNamed) {
  Result<CdnReport> read =
      ReadCdnReport(R"({"seconds": 1, "traffic": [{"type": "other"}], "wastes": []})");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, testing::HasSubstr("to_visitors"));
}

TEST(CdnReport, AUrlIsReadUpToItsLimitAndNoFurther) {
  CdnReport report = Whole();
  report.wastes[0].url = std::string(kMaxCdnUrlBytes, 'u');
  EXPECT_TRUE(ReadCdnReport(ToJson(report)));
  report.wastes[0].url += 'u';
  EXPECT_FALSE(ReadCdnReport(ToJson(report)));
}

TEST(CdnReport, ATextIsReadUpToItsLimitAndNoFurther) {
  CdnReport report = Whole();
  report.wastes[0].mend = std::string(kMaxCdnTextBytes, 'm');
  EXPECT_TRUE(ReadCdnReport(ToJson(report)));
  report.wastes[0].mend += 'm';
  EXPECT_FALSE(ReadCdnReport(ToJson(report)));
}

TEST(CdnReport, AMessageIsReadUpToItsLimitAndNoFurther) {
  std::string text = ToJson(Whole());
  text.resize(kMaxCdnReportBytes, ' ');
  EXPECT_TRUE(ReadCdnReport(text));
  text += ' ';
  auto read = ReadCdnReport(text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::kTooLarge);
}

TEST(CdnReport, WhatIsNoUtf8IsReplacedOnItsWay) {
  CdnReport report = Whole();
  report.wastes[0].url = "http://a/\xff";
  auto read = ReadCdnReport(ToJson(report));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->wastes[0].url, "http://a/\xef\xbf\xbd");
}

TEST(CdnReport, SoManyTypesAndWastesAreReadAndNoMore) {
  CdnReport report = Whole();
  report.traffic.resize(kMaxCdnTypes);
  report.wastes.resize(kMaxCdnWastes);
  EXPECT_TRUE(ReadCdnReport(ToJson(report)));
  report.wastes.emplace_back();
  EXPECT_FALSE(ReadCdnReport(ToJson(report)));
  report.wastes.pop_back();
  report.traffic.emplace_back();
  EXPECT_FALSE(ReadCdnReport(ToJson(report)));
}

}  // namespace
}  // namespace meridian::site
