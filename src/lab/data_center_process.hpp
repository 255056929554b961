// A data center of the lab: starts the process `meridian run --dc NAME` and waits until it serves;
// kills it (the loss of a data center) or stops it in good order.
//
// Owned by the Lab; one thread: its loop.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/process.hpp"
#include "io/wait_queue.hpp"

namespace meridian::lab {

class DataCenterProcess {
 public:
  struct Options {
    std::string name;
    std::vector<std::string> command;            // `meridian run …`, to which --report-fd is added
    std::filesystem::path log;                   // log file of the process and its agent
    std::filesystem::path pid_file;              // the guard's; removed here if the guard could not
    std::function<void(std::string)> waits_for;  // called during the start
    Duration stop_timeout;                       // from SIGTERM to SIGKILL for all of it
  };

  // Calls `clean_up` when the process has ended, to kill descendants that it left. Then calls
  // `ended`, unless the process was killed or stopped here.
  DataCenterProcess(io::EpollDriver& driver, io::Loop& loop, io::SystemNetwork& network,
                    Options options, std::function<void()> clean_up,
                    std::function<void(io::ExitStatus)> ended);
  ~DataCenterProcess();

  const std::string& name() const { return options_.name; }
  bool running() const { return process_ != nullptr; }
  pid_t pid() const { return process_ ? process_->pid() : 0; }

  // Starts it and waits until it serves. After an error no process of it runs. kExists when it runs
  // or is starting already.
  io::Task<Result<void>> Start();
  // Sends SIGKILL to all its processes. Returns when none is left.
  io::Task<void> Kill();
  // Lets it drain and end; kills processes that do not end. Returns when none is left.
  io::Task<void> Stop();

 private:
  Result<std::unique_ptr<io::Stream>> Launch();
  io::Task<Result<void>> AwaitReport(std::unique_ptr<io::Stream> reports);
  io::Task<void> AwaitEnd();
  io::Task<void> AwaitNotRunning();

  io::EpollDriver& driver_;
  io::Loop& loop_;
  io::SystemNetwork& network_;
  Options options_;
  std::function<void()> clean_up_;
  std::function<void(io::ExitStatus)> ended_;
  std::unique_ptr<io::Process> process_;
  bool end_expected_ = false;
  io::WaitQueue not_running_;
  io::Scope scope_;
};

}  // namespace meridian::lab
