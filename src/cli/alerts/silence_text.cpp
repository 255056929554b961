#include "cli/alerts/silence_text.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "cli/alerts/alert_list.hpp"
#include "cli/alerts/alert_text.hpp"
#include "cli/alerts/silence_answer.hpp"
#include "cli/queue/offset_target.hpp"
#include "cli/report/text_table.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

constexpr size_t kIndent = 2;
constexpr size_t kMaxNameBytes = 128;
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// Letters, digits and `others` alone.
bool IsOf(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char each) {
    return kLetters.contains(each) || kDigits.contains(each) || others.contains(each);
  });
}

}  // namespace

bool IsAlertName(std::string_view text) {
  const bool begins = !text.empty() && !kDigits.contains(text.front());
  return begins && text.size() <= kMaxNameBytes && IsOf(text, "_");
}

bool IsSilenceId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && IsOf(text, "-");
}

std::string SilencesText(const std::vector<DataCenterSilences>& all) {
  TextTable table({{.title = "data center"},
                   {.title = "silenced"},
                   {.title = "until"},
                   {.title = "by"},
                   {.title = "comment"}});
  std::vector<std::string> asked;
  for (const DataCenterSilences& of : all) {
    asked.push_back(of.data_center);
    for (const Silence& each : of.silences) {
      table.Add({of.data_center, each.alert.empty() ? each.matchers : each.alert,
                 TimeText(each.ends_ms), each.created_by, each.comment});
    }
  }
  if (!table.empty()) return table.Text();
  if (asked.empty()) return "";
  return fmt::format("Nothing is silenced in {}.\n", fmt::join(asked, ", "));
}

std::string SilencesJson(const std::vector<DataCenterSilences>& all,
                         const std::vector<AlertGap>& gaps) {
  wire::json::Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.BeginArray("silences");
  for (const DataCenterSilences& of : all) {
    for (const Silence& each : of.silences) {
      writer.BeginObject();
      writer.Member("datacenter", of.data_center);
      writer.Member("id", each.id);
      writer.Member("alert", each.alert);
      writer.Member("matchers", each.matchers);
      writer.Member("starts", TimeText(each.starts_ms));
      writer.Member("ends", TimeText(each.ends_ms));
      writer.Member("created_by", each.created_by);
      writer.Member("comment", each.comment);
      writer.EndObject();
    }
  }
  writer.EndArray();
  AppendGaps(writer, gaps);
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace meridian::cli
