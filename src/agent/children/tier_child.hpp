// One tier of this data center, run as a child: `meridian edge --dc us-east …`. Its listening
// sockets are the agent's, made once and inherited by each process of the tier, so that connections
// which arrive while it is started again wait in the kernel and are not refused.
//
// The control stream is an inherited socket pair. Only the newest view is ever kept for a tier: a
// stalled one costs one line, not a queue.
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
    std::string name;  // as the tier asks for it
    io::Fd fd;
  };
  std::string name;
  uint16_t port = 0;                // public
  Endpoint ops;                     // where it is probed
  bool serves_application = false;  // see TierEntry
  bool serves_others = false;       // see TierEntry
  std::vector<Socket> sockets;
};

class TierChild {
 public:
  // `changed` is called when its report or its process has changed.
  TierChild(const Context& context, TierSpec spec, std::function<void()> changed);

  io::Task<void> Run() { return child_.Run(); }
  void Stop() { child_.Stop(); }
  // `line`: EncodeView's. The tier gets it, unless a newer one comes first.
  void SendView(std::shared_ptr<const std::string> line);

  const std::string& name() const { return spec_.name; }
  uint16_t port() const { return spec_.port; }
  bool serves_application() const { return spec_.serves_application; }
  bool serves_others() const { return spec_.serves_others; }
  pid_t pid() const { return child_.pid(); }
  // What it last said; not ready while no process of it has said anything.
  const site::TierReport& report() const { return report_; }
  // It said so, and still answers.
  bool ready() const { return report_.ready && !hung(); }
  // A process runs and has not answered its probes for kHungAfter.
  bool hung() const { return hang_ && hang_->hung(); }
  // For people: why it is not ready, or what is unusual though it is; empty: nothing.
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
  std::optional<HangDetector> hang_;  // of the process that runs
  bool debugged_ = false;             // it is overdue and not killed, for a debugger holds it
  proc::SupervisedChild child_;
};

}  // namespace meridian::agent
