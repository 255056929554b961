#include "base/metrics_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/metric_cells.hpp"
#include "base/metrics.hpp"

namespace meridian {
namespace {

constexpr std::string_view kTotal = "_total";
// Units that OpenMetrics declares when a name ends in them.
constexpr std::array<std::string_view, 3> kUnits = {"seconds", "bytes", "ratio"};

std::string_view TypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "unknown";
}

void AppendEscaped(std::string& out, std::string_view text, bool quotes) {
  for (char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

// `{a="b",le="0.5"}`, or nothing without labels.
void AppendLabels(std::string& out, const MetricLabels& labels, std::string_view bound = {}) {
  if (labels.empty() && bound.empty()) return;
  char separator = '{';
  for (const auto& [name, value] : labels) {
    out += separator;
    out += name + "=\"";
    AppendEscaped(out, value, true);
    out += '"';
    separator = ',';
  }
  if (!bound.empty()) out += fmt::format("{}le=\"{}\"", separator, bound);
  out += '}';
}

class Writer {
 public:
  explicit Writer(MetricsFormat format) : open_(format == MetricsFormat::kOpenMetrics) {}

  void Add(const MetricFamilyReading& family) {
    AddHead(family);
    for (const MetricFamilyReading::Series& series : family.series) {
      switch (family.type) {
        case MetricType::kCounter:
          AddSample(family.name, series.labels, CountText(series));
          break;
        case MetricType::kGauge:
          AddSample(family.name, series.labels, fmt::format("{}", series.value));
          break;
        case MetricType::kHistogram:
          AddHistogram(family.name, series);
          break;
      }
    }
  }

  std::string Take() {
    if (open_) text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  static std::string CountText(const MetricFamilyReading::Series& series) {
    if (series.value == 0) return fmt::format("{}", series.count);
    return fmt::format("{}", static_cast<double>(series.count) + series.value);
  }

  void AddHead(const MetricFamilyReading& family) {
    std::string_view name = family.name;
    // In OpenMetrics a counter's family name lacks the suffix of its samples.
    if (open_ && family.type == MetricType::kCounter && name.ends_with(kTotal)) {
      name.remove_suffix(kTotal.size());
    }
    text_ += fmt::format("# HELP {} ", name);
    AppendEscaped(text_, family.help, open_);
    text_ += fmt::format("\n# TYPE {} {}\n", name, TypeName(family.type));
    if (!open_) return;
    for (std::string_view unit : kUnits) {
      if (name.ends_with(unit) && name.size() > unit.size() &&
          name[name.size() - unit.size() - 1] == '_') {
        text_ += fmt::format("# UNIT {} {}\n", name, unit);
      }
    }
  }

  void AddSample(std::string_view name, const MetricLabels& labels, std::string_view value,
                 std::string_view bound = {}) {
    text_ += name;
    AppendLabels(text_, labels, bound);
    text_ += ' ';
    text_ += value;
    text_ += '\n';
  }

  // OpenMetrics requires bounds in the form of a float.
  std::string BoundText(Duration bound) const {
    std::string text = fmt::format("{}", Seconds(bound));
    if (open_ && text.find_first_of(".e") == text.npos) text += ".0";
    return text;
  }

  void AddHistogram(const std::string& name, const MetricFamilyReading::Series& series) {
    uint64_t total = 0;
    for (size_t i = 0; i < series.buckets.size(); ++i) {
      total += series.buckets[i];
      const bool last = i == kDurationBounds.size();
      AddSample(name + "_bucket", series.labels, fmt::format("{}", total),
                last ? "+Inf" : BoundText(kDurationBounds[i]));
    }
    AddSample(name + "_sum", series.labels, fmt::format("{}", Seconds(series.sum)));
    AddSample(name + "_count", series.labels, fmt::format("{}", total));
  }

  const bool open_;
  std::string text_;
};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The text before `separator`; removes both from `rest`.
std::string_view TakeUntil(std::string_view* rest, char separator) {
  size_t end = std::min(rest->find(separator), rest->size());
  std::string_view taken = Trim(rest->substr(0, end));
  rest->remove_prefix(std::min(end + 1, rest->size()));
  return taken;
}

struct MediaRange {
  std::string type;  // in lower case
  std::string version;
  double quality = 1;
};

MediaRange ParseMediaRange(std::string_view text) {
  MediaRange range;
  range.type = TakeUntil(&text, ';');
  for (char& c : range.type) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  while (!text.empty()) {
    std::string_view parameter = TakeUntil(&text, ';');
    const std::string_view name = TakeUntil(&parameter, '=');
    if (name == "version") range.version = parameter;
    if (name != "q" && name != "Q") continue;
    auto [end, error] = std::from_chars(parameter.data(), parameter.data() + parameter.size(),
                                        range.quality, std::chars_format::fixed);
    if (error != std::errc{}) range.quality = 0;
  }
  return range;
}

}  // namespace

std::string_view ContentTypeOf(MetricsFormat format) {
  return format == MetricsFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

MetricsFormat ChooseMetricsFormat(std::string_view accept) {
  double open = 0;
  double plain = 0;
  while (!accept.empty()) {
    const MediaRange range = ParseMediaRange(TakeUntil(&accept, ','));
    const bool is_open = range.type == "application/openmetrics-text" &&
                         (range.version.empty() || range.version == "1.0.0");
    if (is_open) open = std::max(open, range.quality);
    if (range.type == "text/plain") plain = std::max(plain, range.quality);
  }
  return open > 0 && open >= plain ? MetricsFormat::kOpenMetrics : MetricsFormat::kPrometheus;
}

std::string MetricsText(const std::vector<MetricFamilyReading>& families, MetricsFormat format) {
  Writer writer(format);
  for (const MetricFamilyReading& family : families) writer.Add(family);
  return writer.Take();
}

std::string MetricsText(const Metrics& metrics, MetricsFormat format) {
  return MetricsText(metrics.Read(), format);
}

}  // namespace meridian
