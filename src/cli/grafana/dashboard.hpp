// Dashboards of Grafana (8 or later) as JSON: https://grafana.com/docs/grafana/latest/dashboards/
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::cli {

// The data source that every panel names: a Prometheus with this uid. (A name that is filled in
// when a dashboard is imported by hand stays unresolved where dashboards are provisioned from
// files.)
constexpr std::string_view kDatasourceUid = "meridian";

struct Query {
  std::string_view expr;    // PromQL; $dc is the data centers that were chosen
  std::string_view legend;  // "{{dc}}"
};

enum class PanelKind : uint8_t {
  kSeries,  // lines over time
  kStat,    // one number
};

struct Panel {
  std::string_view title;
  std::string_view unit;  // of Grafana: "reqps", "s", "percentunit", "bytes", "short", "ops" …
  std::vector<Query> queries;
  PanelKind kind = PanelKind::kSeries;
  std::string_view description = {};
};

struct Row {
  std::string_view title;
  std::vector<Panel> panels;
};

struct Dashboard {
  std::string_view name;   // of its file and its uid: "overview"
  std::string_view title;  // "Meridian: overview"
  std::vector<Row> rows;
};

// Without an id, and with a uid that stays, so that it replaces its older self.
std::string ToJson(const Dashboard& dashboard);

// All that Meridian has: overview, service level, host, and one for each tier.
const std::vector<Dashboard>& AllDashboards();

}  // namespace meridian::cli
