#include "sim/simulation.hpp"

#include <array>
#include <span>

namespace meridian::sim {

std::span<const Simulation> Simulations() {
  static constexpr std::array kSimulations = {
      Simulation{"dns", "steering and probes over links and edges that fail", SimulateDns},
  };
  return kSimulations;
}

}  // namespace meridian::sim
