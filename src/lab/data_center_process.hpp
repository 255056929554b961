// One data center of the lab: the process `meridian run --dc NAME`, started, awaited until it
// serves, killed as a data center is lost, or stopped in good order.
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
    std::filesystem::path log;                   // where it and its agent write
    std::filesystem::path pid_file;              // the guard's, removed when that could not
    std::function<void(std::string)> waits_for;  // called while it starts
    Duration stop_timeout;                       // from SIGTERM to SIGKILL for all of it
  };

  // `clean_up` is called when the process has ended: it ends what it may have left behind. Then
  // `ended` is called, if it was neither killed nor stopped here.
  DataCenterProcess(io::EpollDriver& driver, io::Loop& loop, io::SystemNetwork& network,
                    Options options, std::function<void()> clean_up,
                    std::function<void(io::ExitStatus)> ended);
  ~DataCenterProcess();

  const std::string& name() const { return options_.name; }
  bool running() const { return process_ != nullptr; }
  pid_t pid() const { return process_ ? process_->pid() : 0; }

  // Starts it and waits until it serves. An error says why it does not; then nothing of it runs.
  // kExists when it runs already or is being started.
  io::Task<Result<void>> Start();
  // SIGKILL for everything in it. Returns when nothing is left.
  io::Task<void> Kill();
  // Lets it drain and end; kills what does not. Returns when nothing is left.
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
