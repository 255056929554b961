// FreeList: keeps objects that are expensive to make for reuse. One thread.
#pragma once

#include <memory>
#include <vector>

namespace meridian::http {

template <class T>
class FreeList {
 public:
  explicit FreeList(size_t max_kept) : max_kept_(max_kept) {}

  // The object that was given back last (its memory is warm), or a new one from `make`.
  template <class Make>
  std::unique_ptr<T> Take(Make make) {
    if (kept_.empty()) return make();
    std::unique_ptr<T> taken = std::move(kept_.back());
    kept_.pop_back();
    return taken;
  }

  // Keeps `object`, unless the list is full.
  void Give(std::unique_ptr<T> object) {
    if (object && kept_.size() < max_kept_) kept_.push_back(std::move(object));
  }

 private:
  size_t max_kept_;
  std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace meridian::http
