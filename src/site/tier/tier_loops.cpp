#include "site/tier/tier_loops.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/threads/loop_thread.hpp"
#include "io/threads/run_on.hpp"
#include "site/tier/tier_loop.hpp"

namespace meridian::site {
namespace {

io::Task<void> CancelAndJoin(io::Scope& scope) {
  scope.Cancel();
  co_await scope.Join();
}

}  // namespace

struct TierLoops::Further {
  Further(std::string of, Metrics& part)
      : name(std::move(of)), metrics(part), thread(name), scope(thread.loop()) {}

  const std::string name;
  Metrics& metrics;
  io::LoopThread thread;
  io::Scope scope;
  // Of the main loop: see FindHung.
  uint64_t answered = 0;
  bool is_asked = false;
};

TierLoops::TierLoops(const std::string& name, TierLoop main, size_t count) : main_(main) {
  for (size_t i = 1; i < count; ++i) {
    further_.push_back(
        std::make_unique<Further>(fmt::format("{}-{}", name, i + 1), main.metrics.AddPart()));
  }
}

TierLoops::~TierLoops() = default;

TierLoop TierLoops::operator[](size_t index) {
  if (index == 0) return main_;
  Further& further = *further_[index - 1];
  return {.index = index,
          .driver = further.thread.driver(),
          .loop = further.thread.loop(),
          .network = further.thread.network(),
          .metrics = further.metrics,
          .scope = further.scope};
}

std::vector<io::Scope*> TierLoops::scopes() {
  std::vector<io::Scope*> scopes = {&main_.scope};
  for (auto& further : further_) scopes.push_back(&further->scope);
  return scopes;
}

// At most one question is on its way to a loop.
void TierLoops::Ask(Further& loop) {
  if (std::exchange(loop.is_asked, true)) return;
  loop.thread.loop().Post([this, &loop, question = asked_] {
    main_.loop.Post([this, &loop, question] {
      loop.answered = question;
      loop.is_asked = false;
      if (question < asked_) Ask(loop);
      answered_.WakeAll();
    });
  });
}

io::Task<std::string> TierLoops::FindHung(TimePoint deadline) {
  const uint64_t question = ++asked_;
  for (auto& further : further_) Ask(*further);
  const auto silent = [&] {
    return std::ranges::find_if(further_, [&](auto& each) { return each->answered < question; });
  };
  while (silent() != further_.end()) {
    if (!co_await answered_.Wait(deadline)) break;
  }
  const auto hung = silent();
  co_return hung == further_.end() ? "" : (*hung)->name;
}

io::Task<void> TierLoops::EndScopes() {
  for (auto& further : further_) {
    co_await io::RunOn(further->thread.scope(), CancelAndJoin(further->scope));
  }
  co_await CancelAndJoin(main_.scope);
}

}  // namespace meridian::site
