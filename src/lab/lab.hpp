// The lab, which `meridian up` runs: every data center of a site on this machine, each in its own
// processes, so that a user can kill a data center and watch the others.
//
// Commands arrive over HTTP on the state directory's lab.sock, which only the directory's owner can
// open:
//
//   POST /dc/NAME/kill    sends SIGKILL to all processes of NAME; answered when none is left
//   POST /dc/NAME/start   answered when NAME serves
//   POST /down            answered at once; then the lab stops in good order
//   GET  /links           state of the links; POST changes a link: see link_status.hpp
//
// Answers: 200, or 404, 409 and 503 with the reason as text.
//
// One thread: the loop's. Invariants: no data center's process outlives the lab; only one command
// at a time changes a data center.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http/server/server.hpp"
#include "lab/data_center_process.hpp"
#include "lab/link_relay.hpp"
#include "lab/link_table.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::lab {

// The maximum time from the command that ends a lab until it has ended.
Duration MaxDownTime(const site::Site& site);

class Lab {
 public:
  struct Options {
    const site::Site& site;
    const site::StateDir& state;
    std::string program;  // this program's own path
    // Called with a sentence when a data center starts or ends.
    std::function<void(const std::string&)> tell;
    // Called during the start with what the lab waits for; empty: nothing.
    std::function<void(const std::string&)> waits = [](const std::string&) {};
  };

  Lab(io::EpollDriver& driver, io::Loop& loop, io::SystemNetwork& network, Options options);
  ~Lab();

  // Accepts commands, starts all data centers at the same time, and waits until each serves. The
  // error has the reason of every data center that failed; then all are stopped again.
  io::Task<Result<void>> Start();
  // Serves until /down or AskDown, then stops all data centers in good order.
  io::Task<Result<void>> ServeUntilDown();
  // Like /down. A Start in progress fails.
  void AskDown();

 private:
  struct Member {
    std::unique_ptr<DataCenterProcess> process;
    bool busy = false;      // a command is changing it
    std::string problem;    // why it did not start with the lab
    std::string waits_for;  // while it starts
  };

  // A command continues after its client has disconnected.
  struct Command {
    Member* member = nullptr;
    std::string verb;
    std::optional<Result<void>> outcome;
    io::WaitQueue done;
  };

  io::Task<void> Handle(http::Exchange& exchange);
  io::Task<void> HandleLinks(http::Exchange& exchange);
  Result<void> OpenLinks();
  Result<std::shared_ptr<Command>> ParseCommand(std::string_view path);
  io::Task<void> Execute(std::shared_ptr<Command> command);
  io::Task<Result<void>> StartOne(Member& member);
  io::Task<void> Stop();
  io::Task<void> End();
  void KillOrphans() const;
  io::Task<void> StartMember(Member& member);
  void TellWaits(Member& member, std::string waits_for);
  // The problems of data centers that did not start: each problem once, after the names of its data
  // centers, in the site's order. Empty if all started.
  std::string Problems() const;
  Member* Find(std::string_view name);

  io::EpollDriver& driver_;
  io::Loop& loop_;
  io::SystemNetwork& network_;
  Options options_;
  std::vector<Member> members_;
  LinkTable links_;
  std::unique_ptr<LinkRelay> relay_;  // null: this site's lab has no links
  std::unique_ptr<http::Server> server_;
  bool down_ = false;
  bool starting_ = false;
  io::WaitQueue down_asked_;
  io::Scope commands_;
};

}  // namespace meridian::lab
