// Inspection: what operators ask the queue of a data center at its ops port, and the orders that
// they give it. Made for each request; one thread: the main loop's.
#pragma once

#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "io/task.hpp"
#include "queue/state/journal_record.hpp"
#include "wire/http/message.hpp"

namespace meridian::queue {

class Engine;
class Mirrors;
struct BrokerIdentity;

class Inspection {
 public:
  // `mirrors` is null where there is no other data center.
  Inspection(Engine& engine, Mirrors* mirrors, const BrokerIdentity& identity)
      : engine_(engine), mirrors_(mirrors), identity_(identity) {}

  // GET /queue/mirrors: homes, the controller, and how far each data center is.
  // POST /queue/promote?topic=NAME or ?all, also with &force: moves homes here. With a field
  // `Meridian-Order: promote`, which a page in a browser cannot send.
  // POST /queue/follow-anew?datacenter=NAME: follows it, whose disk was lost, from the beginning of
  // its new journal. With `Meridian-Order: follow-anew`.
  io::Task<void> Answer(http::Exchange& exchange);

 private:
  std::string MirrorsJson() const;
  std::string NameOf(NodeId node) const;
  std::string ProblemOfOrder(const wire::http::RequestHead& asked, std::string_view name) const;
  io::Task<void> Promote(http::Exchange& exchange);
  io::Task<void> FollowAnew(http::Exchange& exchange);

  Engine& engine_;
  Mirrors* mirrors_;
  const BrokerIdentity& identity_;
};

}  // namespace meridian::queue
