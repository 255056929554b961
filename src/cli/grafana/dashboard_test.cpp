#include "cli/grafana/dashboard.hpp"

#include <set>
#include <string>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/result.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

using wire::json::Value;

Value Parsed(const Dashboard& dashboard) {
  Result<Value> value = wire::json::Parse(ToJson(dashboard));
  EXPECT_TRUE(value) << dashboard.name << ": " << value.error().message;
  return value ? std::move(*value) : Value{};
}

TEST(Dashboard, ItHasAUidAndNoId) {
  for (const Dashboard& each : AllDashboards()) {
    EXPECT_THAT(ToJson(each), testing::HasSubstr("\"id\": null,"));
    EXPECT_EQ(Parsed(each).TextOf("uid"), fmt::format("meridian-{}", each.name));
  }
}

TEST(Dashboard, PanelsHaveIdsAndPlacesOfTheirOwn) {
  for (const Dashboard& each : AllDashboards()) {
    const Value value = Parsed(each);
    std::set<double> ids;
    std::set<std::pair<double, double>> cells;
    for (const Value& panel : value.Find("panels")->elements()) {
      EXPECT_TRUE(ids.insert(panel.NumberOf("id")).second) << each.name;
      const Value& at = *panel.Find("gridPos");
      EXPECT_LE(at.NumberOf("x") + at.NumberOf("w"), 24);
      for (double x = 0; x < at.NumberOf("w"); ++x) {
        for (double y = 0; y < at.NumberOf("h"); ++y) {
          EXPECT_TRUE(cells.emplace(at.NumberOf("x") + x, at.NumberOf("y") + y).second)
              << each.name << ": " << panel.TextOf("title");
        }
      }
    }
  }
}

TEST(Dashboard, EveryQueryIsOfTheChosenDataCentersAndOfTheOneDatasource) {
  for (const Dashboard& each : AllDashboards()) {
    const std::string json = ToJson(each);
    EXPECT_THAT(json, testing::Not(testing::HasSubstr("${DS_")));
    for (const Row& row : each.rows) {
      for (const Panel& panel : row.panels) {
        ASSERT_FALSE(panel.queries.empty()) << panel.title;
        for (const Query& query : panel.queries) {
          EXPECT_THAT(std::string(query.expr), testing::HasSubstr("dc=~\"$dc\"")) << panel.title;
        }
      }
    }
  }
}

}  // namespace
}  // namespace meridian::cli
