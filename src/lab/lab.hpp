// The lab: every data center of a site on this machine, each as its own processes, so that one can
// be killed and the others watched. What `meridian up` runs.
//
// Commands reach it over HTTP on the state directory's lab.sock, which only the directory's owner
// can open:
//
//   POST /dc/NAME/kill    SIGKILL of everything in NAME; answered when nothing is left
//   POST /dc/NAME/start   answered when NAME serves
//   POST /down            answered at once; everything ends in good order
//   GET  /links           how the links are; and POST to change one: see link_status.hpp
//
// Answers: 200, or 404, 409 and 503 with the reason as text.
//
// One thread: the loop's. Invariants: no data center's process outlives the lab; a data center is
// changed by one command at a time.
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

// From the command to end a lab until it has ended, at the most.
Duration MaxDownTime(const site::Site& site);

class Lab {
 public:
  struct Options {
    const site::Site& site;
    const site::StateDir& state;
    std::string program;  // this program's own path
    // Called with a sentence when a data center comes or goes.
    std::function<void(const std::string&)> tell;
    // Called while the lab starts, with what is waited for: empty when nothing is.
    std::function<void(const std::string&)> waits = [](const std::string&) {};
  };

  Lab(io::EpollDriver& driver, io::Loop& loop, io::SystemNetwork& network, Options options);
  ~Lab();

  // Takes commands from now on, starts all data centers at once and waits until each serves. The
  // error has the reason of every one that does not; then all are ended again.
  io::Task<Result<void>> Start();
  // Goes on until /down or AskDown. Then ends everything in good order.
  io::Task<Result<void>> ServeUntilDown();
  // As /down. While Start goes on, that fails.
  void AskDown();

 private:
  struct Member {
    std::unique_ptr<DataCenterProcess> process;
    bool busy = false;      // a command is changing it
    std::string problem;    // why it did not start with the lab
    std::string waits_for;  // while it starts
  };

  // A command goes on when whoever asked is gone.
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
  // What kept data centers from starting, each problem once, after the names that have it, in
  // the site's order. Empty when all started.
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
