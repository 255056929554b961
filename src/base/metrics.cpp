#include "base/metrics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/histogram.hpp"

namespace meridian {
namespace {

constexpr std::array kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                0.075,  0.1,     0.25,   0.5,   0.75,   1.0,   2.5,  5.0,   10.0};

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
void AppendLabels(std::string& out, const Metrics::Labels& labels, std::string_view bound = {}) {
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

}  // namespace

Metrics::Series& Metrics::AddSeries(const std::string& name, const std::string& help,
                                    std::string_view type, Labels labels) {
  auto family = std::ranges::find(families_, name, &Family::name);
  if (family == families_.end()) {
    families_.push_back({name, help, type, {}});
    family = std::prev(families_.end());
  }
  CHECK(family->type == type && family->help == help);
  CHECK(std::ranges::find(family->series, labels, &Series::labels) == family->series.end());
  return family->series.emplace_back(Series{.labels = std::move(labels)});
}

Counter& Metrics::AddCounter(const std::string& name, const std::string& help, Labels labels) {
  Counter& counter = counters_.emplace_back();
  AddSeries(name, help, "counter", std::move(labels)).counter = &counter;
  return counter;
}

Gauge& Metrics::AddGauge(const std::string& name, const std::string& help, Labels labels) {
  Gauge& gauge = gauges_.emplace_back();
  AddSeries(name, help, "gauge", std::move(labels)).gauge = &gauge;
  return gauge;
}

Histogram& Metrics::AddHistogram(const std::string& name, const std::string& help, Labels labels) {
  Histogram& histogram = histograms_.emplace_back();
  AddSeries(name, help, "histogram", std::move(labels)).histogram = &histogram;
  return histogram;
}

void Metrics::AppendHistogram(std::string& out, const std::string& name, const Series& series) {
  auto line = [&](std::string_view suffix, std::string_view bound, auto value) {
    out += name;
    out += suffix;
    AppendLabels(out, series.labels, bound);
    out += fmt::format(" {}\n", value);
  };
  // The total is read first: buckets must not pass it while a writer goes on.
  const Histogram& histogram = *series.histogram;
  uint64_t total = histogram.count();
  for (double bound : kBounds) {
    auto duration = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(bound));
    line("_bucket", fmt::format("{}", bound), std::min(histogram.CountUpTo(duration), total));
  }
  line("_bucket", "+Inf", total);
  line("_sum", "", Seconds(histogram.sum()));
  line("_count", "", total);
}

std::string Metrics::Text() const {
  std::string out;
  for (const Family& family : families_) {
    out += "# HELP " + family.name + " ";
    AppendEscaped(out, family.help, false);
    out += fmt::format("\n# TYPE {} {}\n", family.name, family.type);
    for (const Series& series : family.series) {
      if (series.histogram != nullptr) {
        AppendHistogram(out, family.name, series);
        continue;
      }
      out += family.name;
      AppendLabels(out, series.labels);
      out += series.counter != nullptr ? fmt::format(" {}\n", series.counter->value())
                                       : fmt::format(" {}\n", series.gauge->value());
    }
  }
  return out;
}

}  // namespace meridian
