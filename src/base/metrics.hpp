// Metrics of one process. A family is declared with its label names; each label set is a series.
//
//   Metrics metrics;
//   Counter& hits = metrics.AddCounter("meridian_edge_requests_total", "Requests answered.",
//                                      {{"result", "hit"}});
//   hits.Add();
//
// Series with known labels are declared at process start, so that each is exported as 0 from the
// start (rate() misses the first increment of a new series). A SeriesFamily has the other series,
// which come and go with instances and releases, up to a limit.
//
// Threads: a Metrics belongs to one thread, which declares its series and counts in them. Each
// further thread has its own part (AddPart); parts share no cache line, and Read sums series of the
// same name and labels. Read may be called from any thread. Names follow the conventions that
// `promtool check metrics` checks: base units (seconds, bytes, ratio), counters end in _total.
// metrics_text.hpp writes the text formats.
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

// The values of one family when it was read.
struct MetricFamilyReading {
  struct Series {
    MetricLabels labels;
    uint64_t count = 0;  // of a counter
    double value = 0;    // of a gauge
    // Of a histogram: the count of each bucket, not cumulative.
    std::array<uint64_t, DurationHistogram::kBuckets> buckets{};
    Duration sum = {};
  };
  std::string name;
  std::string help;
  MetricType type = MetricType::kCounter;
  std::vector<Series> series;
};

// The default of SeriesFamilyOptions::max_series.
constexpr size_t kMaxSeries = 256;
// The value of every label of the overflow series, which counts for all series past the limit.
constexpr std::string_view kOverflowLabel = "_overflow";

namespace internal {

// The cells of one thread, in blocks that begin and end at a cache line. Cells never move.
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
  uint32_t holders = 0;      // of a series of a SeriesFamily
  uint64_t released_at = 0;  // sequence number of the last release: among series without holders,
                             // the lowest is replaced first
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
// A handle to a series of a SeriesFamily. A series without handles stays exported until a new
// series needs its slot.
template <class Cell>
class HeldSeries {
 public:
  HeldSeries() = default;
  HeldSeries(HeldSeries&& other) noexcept
      : family_(std::exchange(other.family_, nullptr)),
        series_(std::exchange(other.series_, nullptr)),
        cell_(std::exchange(other.cell_, nullptr)) {}
  // Swaps, so that `other` releases this handle's former series.
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

  // The references are valid as long as this Metrics. A CHECK fails when a series is declared
  // twice, or a name with another type or help text.
  Counter& AddCounter(const std::string& name, const std::string& help, Labels labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, Labels labels = {});
  // A histogram of seconds with the buckets of kDurationBounds.
  DurationHistogram& AddDurations(const std::string& name, const std::string& help,
                                  Labels labels = {});
  // Families whose series come and go. The references are valid as long as this Metrics.
  SeriesFamily<Counter>& AddCounterFamily(SeriesFamilyOptions options);
  SeriesFamily<DurationHistogram>& AddDurationFamily(SeriesFamilyOptions options);

  // The Metrics of another thread, valid as long as this one. A family must have the same type as
  // this Metrics' family of that name.
  Metrics& AddPart();

  // All families in the order of their declaration, summed over all parts.
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

  mutable std::mutex mutex_;  // guards the members below, not the cells
  std::deque<Family> families_;
  internal::CellBlocks<Counter> counters_;
  internal::CellBlocks<Gauge> gauges_;
  internal::CellBlocks<DurationHistogram> durations_;
  std::vector<std::unique_ptr<SeriesFamily<Counter>>> counter_families_;
  std::vector<std::unique_ptr<SeriesFamily<DurationHistogram>>> duration_families_;
  std::vector<std::unique_ptr<Metrics>> parts_;
};

// The series of one family that come and go with their subject (an instance, a release). At most
// max_series are kept: a new series replaces the series that has been without a holder for longest.
// When all have holders, the new one counts in the overflow series, whose labels are all
// kOverflowLabel. Owned by its Metrics; same thread as that.
template <class Cell>
class SeriesFamily {
 public:
  SeriesFamily(Metrics& metrics, SeriesFamilyOptions options);

  // A handle to the series with these label values. An existing series continues its count.
  HeldSeries<Cell> Take(const std::vector<std::string>& values);

 private:
  friend class HeldSeries<Cell>;
  internal::MetricSeries* FindOrMake(MetricLabels labels);
  internal::MetricSeries& Overflow();
  void Release(internal::MetricSeries& series);

  Metrics& metrics_;
  const SeriesFamilyOptions options_;
  internal::MetricFamily& family_;
  internal::MetricSeries* overflow_ = nullptr;  // made on first use
  uint64_t releases_ = 0;
};

template <class Cell>
HeldSeries<Cell>::~HeldSeries() {
  if (series_ != nullptr) family_->Release(*series_);
}

}  // namespace meridian
