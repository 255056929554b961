#include "cli/grafana/dashboard.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

using wire::json::Writer;

// The grid of a dashboard has 24 columns.
constexpr int64_t kColumns = 24;
constexpr int64_t kSeriesWidth = 12;
constexpr int64_t kSeriesHeight = 8;
constexpr int64_t kStatWidth = 4;
constexpr int64_t kStatHeight = 4;
constexpr int64_t kSchemaVersion = 36;

struct Position {
  int64_t x = 0;
  int64_t y = 0;
  int64_t row_height = 0;  // of the panels beside each other

  // The place of the next panel.
  void Place(int64_t width, int64_t height) {
    if (x + width > kColumns) NextLine();
    row_height = height > row_height ? height : row_height;
  }
  void NextLine() {
    x = 0;
    y += row_height;
    row_height = 0;
  }
};

void WriteDatasource(Writer& writer) {
  writer.BeginObject("datasource");
  writer.Member("type", "prometheus");
  writer.Member("uid", kDatasourceUid);
  writer.EndObject();
}

void WritePosition(Writer& writer, const Position& at, int64_t width, int64_t height) {
  writer.BeginObject("gridPos");
  writer.Member("x", at.x);
  writer.Member("y", at.y);
  writer.Member("w", width);
  writer.Member("h", height);
  writer.EndObject();
}

void WriteTargets(Writer& writer, const Panel& panel) {
  writer.BeginArray("targets");
  char reference = 'A';
  for (const Query& query : panel.queries) {
    writer.BeginObject();
    writer.Member("refId", std::string(1, reference++));
    WriteDatasource(writer);
    writer.Member("expr", query.expr);
    writer.Member("legendFormat", query.legend);
    if (panel.kind == PanelKind::kStat) writer.Member("instant", true);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteOptions(Writer& writer, PanelKind kind) {
  writer.BeginObject("options");
  if (kind == PanelKind::kSeries) {
    writer.BeginObject("legend");
    writer.Member("displayMode", "list");
    writer.Member("placement", "bottom");
    writer.EndObject();
    writer.BeginObject("tooltip");
    writer.Member("mode", "multi");
    writer.Member("sort", "desc");
    writer.EndObject();
  } else {
    writer.BeginObject("reduceOptions");
    writer.BeginArray("calcs");
    writer.Element("lastNotNull");
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndObject();
}

void WritePanel(Writer& writer, const Panel& panel, int64_t id, Position& at) {
  const bool series = panel.kind == PanelKind::kSeries;
  const int64_t width = series ? kSeriesWidth : kStatWidth;
  const int64_t height = series ? kSeriesHeight : kStatHeight;
  at.Place(width, height);
  writer.BeginObject();
  writer.Member("id", id);
  writer.Member("type", series ? "timeseries" : "stat");
  writer.Member("title", panel.title);
  if (!panel.description.empty()) writer.Member("description", panel.description);
  WriteDatasource(writer);
  WritePosition(writer, at, width, height);
  writer.BeginObject("fieldConfig");
  writer.BeginObject("defaults");
  writer.Member("unit", panel.unit);
  writer.Member("min", 0);
  writer.EndObject();
  writer.BeginArray("overrides");
  writer.EndArray();
  writer.EndObject();
  WriteOptions(writer, panel.kind);
  WriteTargets(writer, panel);
  writer.EndObject();
  at.x += width;
}

void WriteRow(Writer& writer, const Row& row, int64_t& id, Position& at) {
  at.NextLine();
  writer.BeginObject();
  writer.Member("id", ++id);
  writer.Member("type", "row");
  writer.Member("title", row.title);
  writer.Member("collapsed", false);
  WritePosition(writer, at, kColumns, 1);
  writer.BeginArray("panels");
  writer.EndArray();
  writer.EndObject();
  at.row_height = 1;
  at.NextLine();
  for (const Panel& panel : row.panels) WritePanel(writer, panel, ++id, at);
}

// The variable $dc: all data centers, or those that are chosen.
void WriteVariables(Writer& writer) {
  writer.BeginObject("templating");
  writer.BeginArray("list");
  writer.BeginObject();
  writer.Member("name", "dc");
  writer.Member("label", "data center");
  writer.Member("type", "query");
  WriteDatasource(writer);
  writer.Member("query", "label_values(up, dc)");
  writer.Member("refresh", 2);  // at each change of the time range
  writer.Member("sort", 1);
  writer.Member("multi", true);
  writer.Member("includeAll", true);
  writer.Member("allValue", ".*");
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
}

}  // namespace

std::string ToJson(const Dashboard& dashboard) {
  constexpr size_t kIndent = 2;
  Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.Member("id", nullptr);
  writer.Member("uid", fmt::format("meridian-{}", dashboard.name));
  writer.Member("title", dashboard.title);
  writer.BeginArray("tags");
  writer.Element("meridian");
  writer.EndArray();
  writer.Member("timezone", "browser");
  writer.Member("schemaVersion", kSchemaVersion);
  writer.Member("version", 1);
  writer.Member("refresh", "10s");
  writer.Member("graphTooltip", 1);  // one cross for all panels
  writer.BeginObject("time");
  writer.Member("from", "now-1h");
  writer.Member("to", "now");
  writer.EndObject();
  WriteVariables(writer);
  writer.BeginArray("panels");
  int64_t id = 0;
  Position at;
  for (const Row& row : dashboard.rows) WriteRow(writer, row, id, at);
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace meridian::cli
