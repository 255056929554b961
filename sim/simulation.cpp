#include "sim/simulation.hpp"

#include <array>
#include <span>

namespace meridian::sim {

std::span<const Simulation> Simulations() {
  static constexpr std::array kSimulations = {
      Simulation{"http", "visitors, balancer and instances, links and processes that fail",
                 SimulateHttp},
      Simulation{"dns", "steering and probes over links and edges that fail", SimulateDns},
      Simulation{"coordinator", "data centers that want one term of an etcd that fails",
                 SimulateCoordinator},
      Simulation{"store",
                 "two logs, mirrored to followers, over links, machines and disks that fail",
                 SimulateStore},
      Simulation{"session", "data centers that write the same keys, under all of these at once",
                 SimulateSession},
      Simulation{"queue", "topics, producers and groups, over machines and disks that fail",
                 SimulateQueue},
      Simulation{"mirrors", "queues that mirror each other, and promotions, under all of these",
                 SimulateQueueMirrors},
  };
  return kSimulations;
}

}  // namespace meridian::sim
