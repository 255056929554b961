// PerLoop: one object on each of several loops. Each object is made, used and destroyed on the
// thread of its loop, so that it needs no lock.
//
//   PerLoop<EdgeLoop> parts(scopes);
//   co_await parts.Make([&](size_t index) { return std::make_unique<EdgeLoop>(index); });
//   parts.Post([view](EdgeLoop& part) { part.OnView(view); });
//   co_await parts.ForEach([&](EdgeLoop& part) { return part.Drain(grace); });
//   co_await parts.Destroy();
//
// All calls come from the loop of the first scope, which is the loop of the PerLoop itself. Destroy
// must end before the PerLoop is destroyed.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/threads/run_on.hpp"

namespace meridian::io {

template <class T>
class PerLoop {
 public:
  // One scope of each loop; at least one.
  explicit PerLoop(std::vector<Scope*> scopes) : scopes_(std::move(scopes)), parts_(size()) {}
  PerLoop(const PerLoop&) = delete;
  PerLoop& operator=(const PerLoop&) = delete;
  ~PerLoop() { CHECK(!made_); }

  size_t size() const { return scopes_.size(); }
  // The object of the first loop. Null before Make.
  T* first() const { return parts_.front().get(); }

  // Makes all objects, each by a call on its loop.
  Task<void> Make(std::function<std::unique_ptr<T>(size_t index)> make) {
    made_ = true;
    co_await OnEach([this, &make](size_t index) -> Task<void> {
      parts_[index] = make(index);
      co_return;
    });
  }

  // Calls `call` on each loop at the same time, and waits for all.
  Task<void> ForEach(std::function<Task<void>(T&)> call) {
    co_await OnEach([this, &call](size_t index) { return call(*parts_[index]); });
  }

  // Calls `call` on each loop in a later iteration, unless Destroy has come first. Several Posts
  // take effect in their order.
  void Post(const std::function<void(T&)>& call) {
    for (size_t i = 0; i < size(); ++i) {
      scopes_[i]->loop().Post([this, i, call] {
        if (parts_[i]) call(*parts_[i]);
      });
    }
  }

  // Destroys all objects, each on its loop.
  Task<void> Destroy() {
    co_await OnEach([this](size_t index) -> Task<void> {
      parts_[index].reset();
      co_return;
    });
    made_ = false;
  }

 private:
  Task<void> OnEach(std::function<Task<void>(size_t index)> call) {
    Scope all(scopes_.front()->loop());
    for (size_t i = 0; i < size(); ++i) all.Spawn(RunPart(i, call));
    co_await all.Join();
  }

  Task<void> RunPart(size_t index, const std::function<Task<void>(size_t index)>& call) {
    co_await RunOn(*scopes_[index], Call(index, call));
  }

  // `call` runs on the part's loop, not here.
  static Task<void> Call(size_t index, const std::function<Task<void>(size_t index)>& call) {
    co_await call(index);
  }

  std::vector<Scope*> scopes_;
  std::vector<std::unique_ptr<T>> parts_;
  bool made_ = false;
};

}  // namespace meridian::io
