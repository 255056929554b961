// A child process that runs a tier of this data center: `meridian edge --dc us-east …`. The agent
// owns the listening sockets and each process of the tier inherits them, so that connections that
// arrive during a restart wait in the kernel and are not refused.
//
// The control stream is an inherited socket pair. Only the newest view is kept for a tier, so a
// stalled tier costs one line of memory, not a queue.
//
// Owned by the agent; one thread: the agent's loop.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/children/hang_detector.hpp"
#include "agent/context.hpp"
#include "proc/supervised_child.hpp"
#include "site/tier/control.hpp"

namespace meridian::agent {

struct TierSpec {
  struct Socket {
    std::string name;  // in the tier's TierDescription
    io::Fd fd;
  };
  std::string name;
  uint16_t port = 0;                // public
  Endpoint ops;                     // address of the probes
  bool serves_application = false;  // see TierEntry
  bool serves_others = false;       // see TierEntry
  bool needed_to_serve = true;      // see TierEntry
  std::vector<Socket> sockets;
};

class TierChild {
 public:
  // Calls `changed` when the report or the process changes.
  TierChild(const Context& context, TierSpec spec, std::function<void()> changed);

  io::Task<void> Run() { return child_.Run(); }
  void Stop() { child_.Stop(); }
  // `line`: from EncodeView. The tier gets it, unless a newer line replaces it first.
  void SendView(std::shared_ptr<const std::string> line);

  const std::string& name() const { return spec_.name; }
  uint16_t port() const { return spec_.port; }
  bool serves_application() const { return spec_.serves_application; }
  bool serves_others() const { return spec_.serves_others; }
  bool needed_to_serve() const { return spec_.needed_to_serve; }
  pid_t pid() const { return child_.pid(); }
  // Its last report; not ready before the first report.
  const site::TierReport& report() const { return report_; }
  // It reported ready, and still answers probes.
  bool ready() const { return report_.ready && !hung(); }
  // A process runs and has not answered its probes for kHungAfter.
  bool hung() const { return hang_ && hang_->hung(); }
  // For people: why it is not ready, or a problem of a ready tier; empty: none.
  std::string Condition() const;
  uint32_t restarts() const { return child_.restarts(); }
  const std::string& problem() const { return child_.problem(); }

 private:
  std::filesystem::path LogPath() const;
  Result<io::ProcessOptions> Prepare();
  io::Task<void> ReadReports();
  io::Task<void> Attend(io::Process& process);
  io::Task<void> Probe(io::Process& process);
  void OnProbed(const io::Process& process, bool was_hung);
  io::Task<void> WriteViews();

  const Context& context_;
  TierSpec spec_;
  std::function<void()> changed_;
  std::unique_ptr<io::Stream> control_;
  io::Fd control_there_;
  io::Fd log_;
  std::shared_ptr<const std::string> view_line_;
  io::WaitQueue view_changed_;
  site::TierReport report_;
  std::optional<HangDetector> hang_;  // of the running process
  bool debugged_ = false;  // it is overdue, but not killed because a debugger is attached
  proc::SupervisedChild child_;
};

}  // namespace meridian::agent
