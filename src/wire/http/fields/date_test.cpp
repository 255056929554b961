#include "wire/http/fields/date.hpp"

#include <gtest/gtest.h>

namespace meridian::wire::http {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{seconds{1'790'000'000}};    // September 2026
constexpr WallTime kExample{seconds{784'111'777}};  // the example of RFC 9110

TEST(HttpDate, IsWrittenAsImfFixdate) {
  EXPECT_EQ(FormatDate(kExample).text(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatDate(kExample + std::chrono::milliseconds{999}).text(),
            "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatDate(WallTime{}).text(), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(FormatDate(WallTime{seconds{1'709'251'199}}).text(), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(HttpDate, AllThreeFormatsAreRead) {
  for (std::string_view text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(ParseDate(text, kNow), kExample) << text;
  }
  EXPECT_EQ(ParseDate("Wed Nov 16 08:49:37 1994", kNow), kExample + std::chrono::days{10});
}

TEST(HttpDate, IsReadWhateverItsCase) {
  for (std::string_view text : {"sun, 06 NOV 1994 08:49:37 gmt", "SUNDAY, 06-nov-94 08:49:37 Gmt",
                                "SUN nov  6 08:49:37 1994"}) {
    EXPECT_EQ(ParseDate(text, kNow), kExample) << text;
  }
}

TEST(HttpDate, TwoDigitYearIsAtMostFiftyYearsAhead) {
  auto year_of = [](std::string_view text) {
    return static_cast<int>(
        std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(*ParseDate(text, kNow))}
            .year());
  };
  EXPECT_EQ(year_of("Sunday, 06-Nov-76 08:49:37 GMT"), 2076);
  EXPECT_EQ(year_of("Sunday, 06-Nov-77 08:49:37 GMT"), 1977);
}

TEST(HttpDate, AnythingElseIsNoDate) {
  for (std::string_view text : {"", "0", "-1", "now", "Sun, 6 Nov 1994 08:49:37 GMT",
                                "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
                                "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 31 Nov 1994 08:49:37 GMT",
                                "Sun, 29 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                                "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
                                "Sun, 06 Nov 1677 08:49:37 GMT", "Sun Nov 6 08:49:37 1994"}) {
    EXPECT_FALSE(ParseDate(text, kNow)) << text;
  }
}

TEST(HttpDate, AYearTooFarAwayForTheClockWasNoDate) {
  EXPECT_LT(ParseDate("Tue, 31 Dec 2261 00:00:00 GMT", kNow),
            ParseDate("Fri, 31 Dec 9999 23:59:59 GMT", kNow));
  EXPECT_FALSE(ParseDate("Fri, 32 Dec 9999 23:59:59 GMT", kNow));
}

}  // namespace
}  // namespace meridian::wire::http
