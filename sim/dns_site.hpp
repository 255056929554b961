// The site of `sim dns`: two or three data centers, each with an edge and a dns server on their own
// hosts, and the true state of the site: running hosts and passable paths. Owned by one run; one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "dns/data_centers.hpp"
#include "http/exchange.hpp"
#include "io/sim/world.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::sim {

// One dns server: probes, health, steering and answers, composed as in dns::Server, without its
// threads.
class DnsServer {
 public:
  DnsServer(const site::Site& site, const dns::FixedParts& parts, io::sim::World& world)
      : site_(site), parts_(parts), world_(world), changes_(site.datacenters.size()) {}

  // The main of its process.
  io::Task<void> Run(io::sim::Machine& machine);

  // Called by the agent. A view received while the server does not run applies at its next start.
  void OnView(std::shared_ptr<const site::SiteView> view);

  bool running() const { return data_centers_ != nullptr; }
  bool serving(size_t data_center) const {
    return data_centers_->candidates()[data_center].serving;
  }
  // How often the server began or stopped answering with the data center, over all its lives.
  uint64_t changes(size_t data_center) const { return changes_[data_center]; }

 private:
  void NoteChange();
  io::Task<void> AnswerNowAndThen();
  void CheckAnswer(const dns::Snapshot& snapshot, uint8_t client);

  const site::Site& site_;
  const dns::FixedParts& parts_;
  io::sim::World& world_;
  io::sim::SimProcess* process_ = nullptr;
  std::shared_ptr<const site::SiteView> view_;
  dns::DataCenters* data_centers_ = nullptr;  // null while it does not run
  std::vector<bool> served_;
  std::vector<uint64_t> changes_;
};

class DnsSite {
 public:
  explicit DnsSite(io::sim::World& world);

  struct DataCenter {
    io::sim::SimProcess* edge = nullptr;
    io::sim::SimProcess* dns = nullptr;
    bool ready = true;     // state reported by the edge
    bool drained = false;  // state in the view
    std::unique_ptr<DnsServer> server;
  };

  size_t size() const { return data_centers_.size(); }
  DataCenter& at(size_t index) { return data_centers_[index]; }
  // The links between a dns server and an edge, one per direction.
  io::sim::Link& to_edge(size_t dns, size_t edge);
  io::sim::Link& from_edge(size_t dns, size_t edge);
  void SetDrained(size_t data_center, bool drained);

  // Whether the server must answer with the data center after kSettle.
  bool MustServe(size_t dns, size_t edge);

 private:
  io::Task<void> RunEdge(io::sim::Machine& machine, size_t index);

  io::sim::World& world_;
  site::Site site_;
  std::optional<dns::FixedParts> parts_;
  site::SiteView view_;
  std::vector<DataCenter> data_centers_;
};

}  // namespace meridian::sim
