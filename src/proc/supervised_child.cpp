#include "proc/supervised_child.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <signal.h>
#include <sys/types.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "proc/backoff.hpp"
#include "proc/limits.hpp"

namespace meridian::proc {
namespace {

constexpr Duration kOutputGrace = std::chrono::milliseconds{200};
constexpr Duration kLeftBehindPause = std::chrono::milliseconds{5};

}  // namespace

SupervisedChild::SupervisedChild(io::EpollDriver& driver, io::Loop& loop, Options options)
    : driver_(driver), loop_(loop), options_(std::move(options)), killer_(loop) {}

SupervisedChild::~SupervisedChild() = default;

io::Task<void> SupervisedChild::Run() {
  while (!stopping_) {
    began_ = loop_.Now();
    co_await RunOnce();
    Duration run = loop_.Now() - began_;
    crashes_ = asked_ || run >= Backoff::kGoodRun ? 0 : crashes_ + 1;
    options_.changed();
    if (stopping_) break;
    bool asked = std::exchange(asked_, false);
    Duration wait = asked ? Duration::zero() : backoff_.AfterRun(run);
    if (asked) {
      LOG_INFO("ended as requested, starting again", {"child", options_.name});
    } else {
      LOG_WARNING("ended, starting again", {"child", options_.name}, {"problem", problem_},
                  {"wait_ms", Milliseconds(wait)});
    }
    // The usual wait times out; Stop wakes it.
    if (wait > Duration::zero()) (void)co_await stop_.Wait(loop_.After(wait));
    ++restarts_;
  }
  killer_.Cancel();
  co_await killer_.Join();
}

io::Task<void> SupervisedChild::RunOnce() {
  Result<io::ProcessOptions> prepared = options_.prepare();
  if (!prepared) {
    problem_ = prepared.error().message;
    co_return;
  }
  auto started = io::Process::Start(driver_, *prepared);
  if (!started) {
    problem_ = "cannot run: " + started.error().message;
    co_return;
  }
  process_ = std::move(*started);
  explanation_.clear();
  options_.changed();
  io::Scope attendance(loop_);
  io::Scope output(loop_);
  attendance.Spawn(options_.attend(*process_));
  if (options_.output) output.Spawn(options_.output());
  Result<io::ExitStatus> status = co_await process_->Wait();
  attendance.Cancel();
  co_await attendance.Join();
  if (options_.left_behind) co_await EndLeftBehind(process_->pid());
  // The last output often explains the end. A descendant may keep the pipe open longer.
  co_await io::Within(loop_.After(kOutputGrace), JoinOutput(output));
  process_.reset();
  problem_ = !explanation_.empty() ? explanation_
             : status              ? status->ToString()
                                   : status.error().message;
}

io::Task<void> SupervisedChild::EndLeftBehind(pid_t ended) {
  TimePoint deadline = loop_.After(kLeftBehindTimeout);
  // Repeats until none is found, because these processes may start others meanwhile.
  for (;;) {
    std::vector<pid_t> left = options_.left_behind(ended);
    if (left.empty()) co_return;
    for (pid_t pid : left) kill(pid, SIGKILL);
    Result<void> slept = co_await io::Sleep(kLeftBehindPause);
    if (!slept || loop_.Now() > deadline) break;
  }
  LOG_WARNING("processes that it left behind cannot be killed", {"child", options_.name});
}

void SupervisedChild::Stop() {
  if (stopping_) return;
  stopping_ = true;
  stop_.WakeAll();
  if (process_ && !asked_) AskToEnd();
}

void SupervisedChild::Restart() {
  if (process_ && !asked_) AskToEnd();
}

std::string SupervisedChild::CrashLoop() const {
  bool runs_well = process_ != nullptr && loop_.Now() - began_ >= Backoff::kGoodRun;
  if (crashes_ < kCrashLoop || runs_well) return "";
  return fmt::format("ended {} times in a row, each soon after its start; last: {}", crashes_,
                     problem_);
}

void SupervisedChild::Kill(std::string why) {
  if (!process_) return;
  Explain(std::move(why));
  process_->Signal(SIGKILL);
}

void SupervisedChild::AskToEnd() {
  asked_ = true;
  process_->Signal(options_.stop_signal);
  killer_.Spawn(KillAfterTimeout(restarts_));
}

io::Task<void> SupervisedChild::KillAfterTimeout(uint32_t run) {
  Result<void> waited = co_await io::Sleep(options_.stop_timeout);
  // Another process may have been started meanwhile.
  if (!waited || !process_ || restarts_ != run) co_return;
  LOG_WARNING("did not end in time, killed", {"child", options_.name});
  process_->Signal(SIGKILL);
}

}  // namespace meridian::proc
