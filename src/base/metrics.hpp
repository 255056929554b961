// Metrics of one process in the Prometheus text format 0.0.4. A family is declared with its label
// names and every label set that is known, so that each series is there at 0 from the start (the
// first increment of a series that was not there is lost to a rate()).
//
//   Metrics metrics;
//   Counter& hits = metrics.AddCounter("meridian_edge_requests_total", "Requests answered.",
//   {{"result", "hit"}}); hits.Add();
//
// Declaring: before threads start. Adding and reading: any thread, no lock. Names follow the
// conventions that `promtool check metrics` holds: base units (seconds, bytes, ratio), counters end
// in _total.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/histogram.hpp"

namespace meridian {

class Counter {
 public:
  void Add(uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  void Add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0;
};

class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The references live as long as this. Declaring one series twice is a bug; so is another kind or
  // help text for a name that exists.
  Counter& AddCounter(const std::string& name, const std::string& help, Labels labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, Labels labels = {});
  // A duration in seconds, exported with buckets from 100 µs to 10 s. One writing thread.
  Histogram& AddHistogram(const std::string& name, const std::string& help, Labels labels = {});

  // Families in the order of their declaration. Content-Type: kContentType.
  std::string Text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Series {
    Labels labels;
    const Counter* counter = nullptr;
    const Gauge* gauge = nullptr;
    const Histogram* histogram = nullptr;
  };
  struct Family {
    std::string name;
    std::string help;
    std::string_view type;
    std::vector<Series> series;
  };
  Series& AddSeries(const std::string& name, const std::string& help, std::string_view type,
                    Labels labels);
  static void AppendHistogram(std::string& out, const std::string& name, const Series& series);

  std::vector<Family> families_;
  std::deque<Counter> counters_;
  std::deque<Gauge> gauges_;
  std::deque<Histogram> histograms_;
};

}  // namespace meridian
