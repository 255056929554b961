// Standings: which instances may get requests, as a loop needs it to choose without a lock.
// Immutable: the roster replaces it by another when something changes. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dispatch/policy/choice.hpp"
#include "dispatch/shared_instance.hpp"

namespace meridian::dispatch {

// An instance in the view.
struct ListedInstance {
  std::shared_ptr<SharedInstance> instance;
  std::string release;
};
using InstanceList = std::vector<ListedInstance>;

struct Standings {
  std::shared_ptr<const InstanceList> all = std::make_shared<InstanceList>();
  // The instances that every request may use which was sent nowhere yet, by their index in `all`;
  // with their weights.
  std::vector<uint32_t> good;
  WeightedPairs weights;
  // An instance on trial waits for its request: requests that may be it are chosen under the lock.
  bool trial_open = false;
  bool in_panic = false;
  // How many instances are called healthy and listen; are in; are on trial.
  size_t running = 0;
  size_t in = 0;
  size_t on_trial = 0;

  bool operator==(const Standings&) const = default;
  // Equal but for the weights: a request that no instance of `other` may serve cannot be served by
  // these either.
  bool SameUse(const Standings& other) const {
    return all == other.all && good == other.good && trial_open == other.trial_open &&
           in_panic == other.in_panic && running == other.running && in == other.in &&
           on_trial == other.on_trial;
  }
};

}  // namespace meridian::dispatch
