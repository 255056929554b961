// The watch tier of a data center: it connects the log store, its port and the intake of output to
// the process. README.md says how these work together.
//
// One thread: the process's main loop; the store has a pool of its own, and so have the copies. The
// process serves also while the store cannot be opened (the disk is full, say): agents keep output
// as long as they can, searches are refused, the status names the problem, and the store is tried
// again; the log files of Meridian's own processes are read later.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/server/server.hpp"
#include "io/blocking.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/secret.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "watch/config.hpp"
#include "watch/copies/copies.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/metrics.hpp"
#include "watch/output_intake.hpp"
#include "watch/own_lines/own_lines.hpp"
#include "watch/search_answers.hpp"

namespace meridian::watch {

class LogStore;

class Watch {
 public:
  explicit Watch(site::TierProcess& process);
  ~Watch();

  // Runs the process with this tier. Returns the exit status.
  int Run();

 private:
  io::Task<Result<void>> Start();
  io::Task<Result<void>> OpenStore();
  io::Task<void> KeepOpening();
  io::Task<void> Report();
  std::string Problem();
  io::Task<void> Handle(http::Exchange& exchange);
  io::Task<void> Drain(Duration grace);

  site::TierProcess& process_;
  const Config& config_;
  io::BlockingPool pool_;
  LogFiles files_;
  site::Secret password_;
  WatchMetrics metrics_;
  OutputIntake intake_;
  OwnLines own_lines_;
  Copies copies_;
  SearchAnswers searches_;
  std::unique_ptr<LogStore> store_;
  std::string open_problem_;
  uint64_t counted_loss_ = 0;  // refused and lost entries
  TimePoint loss_told_until_ = {};
  io::Scope storing_;
  io::Scope background_;
  std::unique_ptr<http::Server> server_;
};

// The tier, for the composition root.
site::TierDescription Describe();

}  // namespace meridian::watch
