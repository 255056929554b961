// LogForwarder: sends the output of this data center's processes to its watch tier
// (site/tier/output_frame.hpp), if the site has one. Owned by the agent; one thread: the loop's.
//
// Nothing waits for the tier: what is read from a pipe is added to a buffer, which drops what is
// too much. Each source has a share of its own, so none pushes another's lines away. Frames that
// were sent are kept until the tier has taken them, and are sent again to its next process; a frame
// that the dead process took and did not report comes twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/context.hpp"
#include "agent/logs/output_buffer.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/output_frame.hpp"

namespace meridian::agent {

class LogForwarder;

// The output of one child of the agent, of all its processes one after another. Owned by the
// forwarder.
class OutputSource {
 public:
  OutputSource(LogForwarder& forwarder, site::OutputOrigin origin)
      : forwarder_(forwarder), origin_(std::move(origin)) {}

  void Append(std::string_view bytes);
  // Output past the quota of the source.
  void Drop(std::string_view bytes);
  // The process has ended.
  void End();

 private:
  friend class LogForwarder;
  LogForwarder& forwarder_;
  site::OutputOrigin origin_;
  OutputBuffer buffer_;
};

class LogForwarder {
 public:
  LogForwarder(const Context& context, Metrics& metrics);
  ~LogForwarder();

  // `origin.host` and `.release` are filled in. The source lives as long as the forwarder.
  OutputSource& AddSource(site::OutputOrigin origin);

  // Sends until its fiber is cancelled.
  io::Task<void> Run();
  // Waits until the tier has taken everything, or `deadline`.
  io::Task<void> Flush(TimePoint deadline);

 private:
  friend class OutputSource;
  struct Sent {
    std::string frame;
    uint64_t end = 0;  // in the bytes of this connection
  };
  struct Connection;

  void OnOutput();
  void CountDropped(const DroppedOutput& dropped, bool by_quota);
  io::Task<Result<void>> Connect();
  io::Task<Result<void>> Exchange(http::Upgraded upgraded);
  io::Task<void> Write(Connection& connection);
  io::Task<void> ReadTaken(Connection& connection);
  Result<void> OnTaken(Connection& connection, uint64_t bytes);
  // The next frames of all sources in turn, encoded; empty: there are none, or enough is in flight.
  std::string NextFrames(Connection& connection);
  std::string SentBefore(Connection& connection);
  std::string NewOrigins(Connection& connection);
  bool idle() const;

  const Context& context_;
  const bool enabled_;
  std::string host_;
  std::vector<std::unique_ptr<OutputSource>> sources_;
  size_t next_source_ = 0;
  size_t buffered_bytes_ = 0;
  std::deque<Sent> sent_;  // and not taken
  size_t sent_bytes_ = 0;
  RecurringProblem problem_;
  RecurringProblem dropping_;
  io::WaitQueue work_;
  io::WaitQueue taken_;
  Gauge& connected_gauge_;
  Gauge& buffered_gauge_;
  Counter& quota_lines_;
  Counter& quota_bytes_;
  Counter& buffer_lines_;
  Counter& buffer_bytes_;
};

}  // namespace meridian::agent
