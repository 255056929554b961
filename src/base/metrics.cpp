#include "base/metrics.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/metric_cells.hpp"

namespace meridian {
namespace {

using internal::MetricFamily;
using internal::MetricSeries;

template <class Cell>
constexpr MetricType kTypeOf = std::is_same_v<Cell, Counter> ? MetricType::kCounter
                               : std::is_same_v<Cell, Gauge> ? MetricType::kGauge
                                                             : MetricType::kHistogram;

template <class Cell>
Cell* CellOf(const MetricSeries& series) {
  if constexpr (std::is_same_v<Cell, Counter>) {
    return series.counter;
  } else if constexpr (std::is_same_v<Cell, Gauge>) {
    return series.gauge;
  } else {
    return series.durations;
  }
}

template <class Cell>
void ResetCell(Cell& cell) {
  if constexpr (std::is_same_v<Cell, Gauge>) {
    cell.Set(0);
  } else {
    cell.Reset();
  }
}

void AddTo(MetricFamilyReading::Series& sum, const MetricSeries& series) {
  if (series.counter != nullptr) sum.count += series.counter->value();
  if (series.gauge != nullptr) sum.value += series.gauge->value();
  if (series.durations == nullptr) return;
  for (size_t i = 0; i < sum.buckets.size(); ++i) sum.buckets[i] += series.durations->count(i);
  sum.sum += series.durations->sum();
}

// Sums series of the same name and labels.
class Reader {
 public:
  void Add(const MetricFamily& family) {
    auto [at, is_new] = families_.try_emplace(family.name, result_.size());
    if (is_new) {
      result_.push_back({.name = family.name, .help = family.help, .type = family.type});
      series_.emplace_back();
    }
    MetricFamilyReading& reading = result_[at->second];
    auto& known = series_[at->second];
    for (const MetricSeries& series : family.series) {
      auto [index, is_first] = known.try_emplace(series.labels, reading.series.size());
      if (is_first) reading.series.push_back({.labels = series.labels});
      AddTo(reading.series[index->second], series);
    }
  }
  std::vector<MetricFamilyReading> Take() { return std::move(result_); }

 private:
  std::vector<MetricFamilyReading> result_;
  std::map<std::string, size_t> families_;
  std::vector<std::map<MetricLabels, size_t>> series_;
};

}  // namespace

Metrics::~Metrics() = default;

Metrics::Family& Metrics::FindOrAddFamily(const std::string& name, const std::string& help,
                                          MetricType type) {
  auto family = std::ranges::find(families_, name, &Family::name);
  if (family == families_.end()) {
    return families_.emplace_back(Family{.name = name, .help = help, .type = type});
  }
  CHECK(family->type == type && family->help == help);
  return *family;
}

void Metrics::MakeCell(Series& series, MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      series.counter = &counters_.Add();
      break;
    case MetricType::kGauge:
      series.gauge = &gauges_.Add();
      break;
    case MetricType::kHistogram:
      series.durations = &durations_.Add();
      break;
  }
}

Metrics::Series& Metrics::AddSeries(const std::string& name, const std::string& help,
                                    MetricType type, Labels labels) {
  std::lock_guard lock(mutex_);
  Family& family = FindOrAddFamily(name, help, type);
  CHECK(std::ranges::find(family.series, labels, &Series::labels) == family.series.end());
  Series& series = family.series.emplace_back(Series{.labels = std::move(labels)});
  MakeCell(series, type);
  return series;
}

Counter& Metrics::AddCounter(const std::string& name, const std::string& help, Labels labels) {
  return *AddSeries(name, help, MetricType::kCounter, std::move(labels)).counter;
}

Gauge& Metrics::AddGauge(const std::string& name, const std::string& help, Labels labels) {
  return *AddSeries(name, help, MetricType::kGauge, std::move(labels)).gauge;
}

DurationHistogram& Metrics::AddDurations(const std::string& name, const std::string& help,
                                         Labels labels) {
  return *AddSeries(name, help, MetricType::kHistogram, std::move(labels)).durations;
}

SeriesFamily<Counter>& Metrics::AddCounterFamily(SeriesFamilyOptions options) {
  std::lock_guard lock(mutex_);
  counter_families_.push_back(std::make_unique<SeriesFamily<Counter>>(*this, std::move(options)));
  return *counter_families_.back();
}

SeriesFamily<DurationHistogram>& Metrics::AddDurationFamily(SeriesFamilyOptions options) {
  std::lock_guard lock(mutex_);
  duration_families_.push_back(
      std::make_unique<SeriesFamily<DurationHistogram>>(*this, std::move(options)));
  return *duration_families_.back();
}

Metrics& Metrics::AddPart() {
  std::lock_guard lock(mutex_);
  return *parts_.emplace_back(std::make_unique<Metrics>());
}

template <class Visit>
void Metrics::ForEachPart(const Visit& visit) const {
  std::lock_guard lock(mutex_);
  visit(*this);
  for (const auto& part : parts_) part->ForEachPart(visit);
}

std::vector<MetricFamilyReading> Metrics::Read() const {
  Reader reader;
  ForEachPart([&](const Metrics& part) {
    for (const Family& family : part.families_) reader.Add(family);
  });
  return reader.Take();
}

template <class Cell>
SeriesFamily<Cell>::SeriesFamily(Metrics& metrics, SeriesFamilyOptions options)
    : metrics_(metrics),
      options_(std::move(options)),
      family_(metrics.FindOrAddFamily(options_.name, options_.help, kTypeOf<Cell>)) {}

template <class Cell>
HeldSeries<Cell> SeriesFamily<Cell>::Take(const std::vector<std::string>& values) {
  CHECK(values.size() == options_.label_names.size());
  std::lock_guard lock(metrics_.mutex_);
  MetricLabels labels;
  for (size_t i = 0; i < values.size(); ++i) {
    labels.emplace_back(options_.label_names[i], values[i]);
  }
  MetricSeries* series = FindOrMake(std::move(labels));
  if (series == nullptr) series = &Overflow();
  ++series->holders;
  return {this, series, CellOf<Cell>(*series)};
}

// Null: every series has a holder.
template <class Cell>
MetricSeries* SeriesFamily<Cell>::FindOrMake(MetricLabels labels) {
  MetricSeries* free = nullptr;
  size_t count = 0;
  for (MetricSeries& each : family_.series) {
    if (&each == overflow_) continue;
    if (each.labels == labels) return &each;
    ++count;
    if (each.holders > 0) continue;
    if (free == nullptr || each.released_at < free->released_at) free = &each;
  }
  if (count < options_.max_series) {
    MetricSeries& made = family_.series.emplace_back(MetricSeries{.labels = std::move(labels)});
    metrics_.MakeCell(made, family_.type);
    return &made;
  }
  if (free == nullptr) return nullptr;
  free->labels = std::move(labels);
  ResetCell(*CellOf<Cell>(*free));
  return free;
}

template <class Cell>
MetricSeries& SeriesFamily<Cell>::Overflow() {
  if (overflow_ == nullptr) {
    overflow_ = &family_.series.emplace_back();
    for (const std::string& name : options_.label_names) {
      overflow_->labels.emplace_back(name, kOverflowLabel);
    }
    metrics_.MakeCell(*overflow_, family_.type);
  }
  return *overflow_;
}

template <class Cell>
void SeriesFamily<Cell>::Release(MetricSeries& series) {
  std::lock_guard lock(metrics_.mutex_);
  --series.holders;
  series.released_at = ++releases_;
}

template class SeriesFamily<Counter>;
template class SeriesFamily<Gauge>;
template class SeriesFamily<DurationHistogram>;

}  // namespace meridian
