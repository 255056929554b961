// OutputIntake: takes what agents tell of the output of their processes
// (site/tier/output_frame.hpp) into the log store. Owned by the tier; one thread: the loop's.
//
// Each connection has sources of its own, which end with it: a line whose end has not come is then
// an entry as it is. What was taken is reported after each read, so that the agent sends again what
// a dead process had not read; entries that it took and had not written are lost (LogStore).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "watch/metrics.hpp"

namespace meridian::site {
struct OutputFrame;
}  // namespace meridian::site

namespace meridian::watch {

class LogSource;
class LogStore;

class OutputIntake {
 public:
  // `data_center`: of all entries.
  OutputIntake(io::Loop& loop, std::string data_center);
  ~OutputIntake();

  // The store takes entries until Close. Before that, and afterwards, agents get a 503.
  void Open(LogStore& store) { store_ = &store; }
  // Closes all connections; what they had not read yet stays with their agents.
  void Close();

  // Answers a request for kOutputPath, whose sender has shown the password.
  io::Task<void> Serve(http::Exchange& exchange);

  const OutputCounts& counts() const { return counts_; }

 private:
  struct Connection;

  io::Task<void> Read(Connection& connection, http::Upgraded upgraded);
  // Feeds all whole frames that have come.
  Result<void> TakeFrames(Connection& connection);
  Result<void> TakeFrame(Connection& connection, const site::OutputFrame& frame);
  Result<void> AddSource(Connection& connection, const site::OutputFrame& frame);
  void ExpireDue(Connection& connection);
  // Adds what the sources of the connection have dropped since the last time.
  void Count(Connection& connection);

  io::Loop& loop_;
  const std::string data_center_;
  LogStore* store_ = nullptr;
  std::vector<io::Stream*> streams_;
  OutputCounts counts_;
};

}  // namespace meridian::watch
