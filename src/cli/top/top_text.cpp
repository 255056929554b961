#include "cli/top/top_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "cli/report/text_table.hpp"
#include "cli/terminal.hpp"
#include "cli/top/tier_figures.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

constexpr std::string_view kAbsent = "-";

enum class Tone : uint8_t { kPlain, kWorse, kBad };

// Three digits, and no more than one behind the point from 10 on.
std::string NumberText(std::optional<double> value) {
  if (!value) return std::string(kAbsent);
  if (*value >= 100 || *value == 0) return fmt::format("{:.0f}", *value);
  return *value >= 10 ? fmt::format("{:.1f}", *value) : fmt::format("{:.2f}", *value);
}

std::string SecondsText(std::optional<double> seconds) {
  constexpr double kMilli = 1e3;
  constexpr double kMicro = 1e6;
  if (!seconds) return std::string(kAbsent);
  if (*seconds >= 1) return NumberText(seconds) + " s";
  if (*seconds >= 1 / kMilli) return NumberText(*seconds * kMilli) + " ms";
  return fmt::format("{:.0f} us", *seconds * kMicro);
}

std::string MoreText(const TopTier& tier) {
  if (!tier.problem.empty()) return tier.problem;
  std::string text;
  auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (tier.figures.hit_ratio) add(fmt::format("{:.0f}% hits", *tier.figures.hit_ratio * 100));
  if (tier.figures.waiting_messages && *tier.figures.waiting_messages > 0) {
    add(fmt::format("{:.0f} messages wait", *tier.figures.waiting_messages));
  }
  return text;
}

bool IsWell(std::string_view state) { return state == "ready" || state == "external"; }

Tone ToneOf(const TopTier& tier) {
  if (!IsWell(tier.state)) return Tone::kBad;
  const bool errors = tier.figures.errors_per_second.value_or(0) > 0;
  return errors || !tier.problem.empty() ? Tone::kWorse : Tone::kPlain;
}

std::string Painted(std::string_view line, Tone tone, bool color) {
  if (!color || tone == Tone::kPlain) return std::string(line);
  return fmt::format("\x1b[{}m{}\x1b[0m", tone == Tone::kBad ? 31 : 33, line);
}

void WriteFigure(wire::json::Writer& writer, const char* name, std::optional<double> figure) {
  if (figure) writer.Member(name, *figure);
}

}  // namespace

std::string TopText(const std::vector<TopDataCenter>& data_centers, size_t columns, bool color) {
  TextTable table({{.title = "data center"},
                   {.title = "tier"},
                   {.title = "state"},
                   {.title = "per s", .number = true},
                   {.title = "errors/s", .number = true},
                   {.title = "p50", .number = true},
                   {.title = "p99", .number = true},
                   {.title = "lag", .number = true},
                   {.title = ""}});
  std::vector<Tone> tones = {Tone::kPlain};  // of the titles
  for (const TopDataCenter& dc : data_centers) {
    const bool serves = dc.state == "serving" && dc.problem.empty();
    if (!serves || dc.tiers.empty()) {
      table.Add({dc.name, "", dc.state, "", "", "", "", "", dc.problem});
      tones.push_back(dc.state == "serving" ? Tone::kWorse : Tone::kBad);
    }
    for (const TopTier& tier : dc.tiers) {
      const TierFigures& figures = tier.figures;
      table.Add({dc.name, tier.name, tier.state, NumberText(figures.requests_per_second),
                 NumberText(figures.errors_per_second), SecondsText(figures.p50_seconds),
                 SecondsText(figures.p99_seconds), SecondsText(figures.lag_seconds),
                 MoreText(tier)});
      tones.push_back(ToneOf(tier));
    }
  }
  const std::string plain = table.Text();
  std::string text;
  std::string_view rest = plain;
  for (const Tone tone : tones) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    text += Painted(columns == 0 ? line : FirstLetters(line, columns), tone, color) + "\n";
  }
  return text;
}

std::string TopJson(const std::vector<TopDataCenter>& data_centers, double unix_seconds) {
  wire::json::Writer writer;
  writer.BeginObject();
  writer.Member("time", unix_seconds);
  writer.BeginArray("datacenters");
  for (const TopDataCenter& dc : data_centers) {
    writer.BeginObject();
    writer.Member("name", dc.name);
    writer.Member("state", dc.state);
    if (!dc.problem.empty()) writer.Member("problem", dc.problem);
    writer.BeginArray("tiers");
    for (const TopTier& tier : dc.tiers) {
      writer.BeginObject();
      writer.Member("name", tier.name);
      writer.Member("state", tier.state);
      if (!tier.problem.empty()) writer.Member("problem", tier.problem);
      WriteFigure(writer, "requests_per_second", tier.figures.requests_per_second);
      WriteFigure(writer, "errors_per_second", tier.figures.errors_per_second);
      WriteFigure(writer, "p50_seconds", tier.figures.p50_seconds);
      WriteFigure(writer, "p99_seconds", tier.figures.p99_seconds);
      WriteFigure(writer, "hit_ratio", tier.figures.hit_ratio);
      WriteFigure(writer, "lag_seconds", tier.figures.lag_seconds);
      WriteFigure(writer, "waiting_messages", tier.figures.waiting_messages);
      writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace meridian::cli
