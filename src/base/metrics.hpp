// Metrics of one process. A family is declared with its label names; each label set is a series.
//
//   Metrics metrics;
//   Counter& hits = metrics.AddCounter("meridian_edge_requests_total", "Requests answered.",
//                                      {{"result", "hit"}});
//   hits.Add();
//
// Series whose labels are known are declared at the start, so that each is there at 0 (the first
// increment of a series that was not there is lost to a rate()). A SeriesFamily has the others:
// they come and go with instances and releases, up to a limit.
//
// Threads: a Metrics belongs to one thread, which declares series and counts in them. Each further
// thread has a part of its own (AddPart), whose cells share no cache line with another's; series of
// the same name and labels are summed when they are read. Read may be called from any thread.
// Names follow the conventions that `promtool check metrics` holds: base units (seconds, bytes,
// ratio), counters end in _total. metrics_text.hpp writes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/metric_cells.hpp"  // IWYU pragma: export

namespace meridian {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

// What one family shows at a time.
struct MetricFamilyReading {
  struct Series {
    MetricLabels labels;
    uint64_t count = 0;  // of a counter
    double value = 0;    // of a gauge
    // Of a histogram: each bucket by itself.
    std::array<uint64_t, DurationHistogram::kBuckets> buckets{};
    Duration sum = {};
  };
  std::string name;
  std::string help;
  MetricType type = MetricType::kCounter;
  std::vector<Series> series;
};

// Of a SeriesFamily, unless it says otherwise.
constexpr size_t kMaxSeries = 256;
// The value of every label of the series that counts for all that are past the limit.
constexpr std::string_view kOverflowLabel = "_overflow";

namespace internal {

// Cells of one thread: in blocks that begin and end with a cache line. Cells never move.
template <class Cell>
class CellBlocks {
 public:
  Cell& Add() {
    if (blocks_.empty() || used_ == kCells) {
      blocks_.push_back(std::make_unique<Block>());
      used_ = 0;
    }
    return blocks_.back()->cells[used_++];
  }

 private:
  static constexpr size_t kCells = 16;
  struct alignas(64) Block {
    std::array<Cell, kCells> cells;
  };
  std::vector<std::unique_ptr<Block>> blocks_;
  size_t used_ = 0;
};

struct MetricSeries {
  MetricLabels labels;
  Counter* counter = nullptr;
  Gauge* gauge = nullptr;
  DurationHistogram* durations = nullptr;
  uint32_t holders = 0;      // of a series that comes and goes
  uint64_t released_at = 0;  // counts releases: the lowest of those without holders goes first
};

struct MetricFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::kCounter;
  std::deque<MetricSeries> series = {};
};

}  // namespace internal

template <class Cell>
class SeriesFamily;
// A series that somebody counts in. When its last holder goes, the series is still shown, until
// another needs its place.
template <class Cell>
class HeldSeries {
 public:
  HeldSeries() = default;
  HeldSeries(HeldSeries&& other) noexcept
      : family_(std::exchange(other.family_, nullptr)),
        series_(std::exchange(other.series_, nullptr)),
        cell_(std::exchange(other.cell_, nullptr)) {}
  // What this held is released with `other`.
  HeldSeries& operator=(HeldSeries&& other) noexcept {
    std::swap(family_, other.family_);
    std::swap(series_, other.series_);
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~HeldSeries();

  Cell* operator->() const { return cell_; }

 private:
  friend class SeriesFamily<Cell>;
  HeldSeries(SeriesFamily<Cell>* family, internal::MetricSeries* series, Cell* cell)
      : family_(family), series_(series), cell_(cell) {}

  SeriesFamily<Cell>* family_ = nullptr;
  internal::MetricSeries* series_ = nullptr;
  Cell* cell_ = nullptr;
};

struct SeriesFamilyOptions {
  std::string name;
  std::string help;
  std::vector<std::string> label_names;
  size_t max_series = kMaxSeries;
};

class Metrics {
 public:
  using Labels = MetricLabels;

  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // The references live as long as this. Declaring one series twice is a bug; so is another kind or
  // help text for a name that exists.
  Counter& AddCounter(const std::string& name, const std::string& help, Labels labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, Labels labels = {});
  // Durations in seconds, by kDurationBounds.
  DurationHistogram& AddDurations(const std::string& name, const std::string& help,
                                  Labels labels = {});
  // Families whose series come and go; as long as this.
  SeriesFamily<Counter>& AddCounterFamily(SeriesFamilyOptions options);
  SeriesFamily<DurationHistogram>& AddDurationFamily(SeriesFamilyOptions options);

  // For another thread, as long as this. Its families are of the same kind as ours of that name.
  Metrics& AddPart();

  // Families in the order of their declaration, with what all parts have counted.
  std::vector<MetricFamilyReading> Read() const;

 private:
  template <class Cell>
  friend class SeriesFamily;
  using Family = internal::MetricFamily;
  using Series = internal::MetricSeries;

  Family& FindOrAddFamily(const std::string& name, const std::string& help, MetricType type);
  Series& AddSeries(const std::string& name, const std::string& help, MetricType type,
                    Labels labels);
  void MakeCell(Series& series, MetricType type);
  template <class Visit>
  void ForEachPart(const Visit& visit) const;

  mutable std::mutex mutex_;  // of what follows; not of the cells
  std::deque<Family> families_;
  internal::CellBlocks<Counter> counters_;
  internal::CellBlocks<Gauge> gauges_;
  internal::CellBlocks<DurationHistogram> durations_;
  std::vector<std::unique_ptr<SeriesFamily<Counter>>> counter_families_;
  std::vector<std::unique_ptr<SeriesFamily<DurationHistogram>>> duration_families_;
  std::vector<std::unique_ptr<Metrics>> parts_;
};

// Series of one family that come and go with what they are about. At most max_series are kept: a
// new one takes the place of the one that has longest had no holder. When all have holders, it
// counts in the overflow series, whose labels are all kOverflowLabel. Owned by its Metrics; the
// thread of that.
template <class Cell>
class SeriesFamily {
 public:
  SeriesFamily(Metrics& metrics, SeriesFamilyOptions options);

  // The series with these values of the family's labels: what it counted before goes on.
  HeldSeries<Cell> Take(const std::vector<std::string>& values);

 private:
  friend class HeldSeries<Cell>;
  internal::MetricSeries* FindOrMake(MetricLabels labels);
  internal::MetricSeries& Overflow();
  void Release(internal::MetricSeries& series);

  Metrics& metrics_;
  const SeriesFamilyOptions options_;
  internal::MetricFamily& family_;
  internal::MetricSeries* overflow_ = nullptr;  // made when it is needed first
  uint64_t releases_ = 0;
};

template <class Cell>
HeldSeries<Cell>::~HeldSeries() {
  if (series_ != nullptr) family_->Release(*series_);
}

}  // namespace meridian
