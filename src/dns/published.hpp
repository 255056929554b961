// Publishes the newest version of an immutable T from one maker thread to a few reader threads,
// without a lock. A reader pins a version while it uses it (for a batch of queries); the maker
// frees versions that no reader pins (hazard pointers, Michael 2004).
//
//   Published<Snapshot> newest(3, first);         // three readers
//   newest.Publish(std::move(next));              // the maker's thread
//   { auto pin = newest.Acquire(0); pin->...; }   // reader 0's thread
//
// Memory: at most one version for each reader beside the newest.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/check.hpp"

namespace meridian::dns {

template <class T>
class Published {
 public:
  Published(size_t readers, std::unique_ptr<const T> first)
      : newest_(first.get()), pins_(readers), owned_() {
    CHECK(first != nullptr);
    owned_.push_back(std::move(first));
  }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;
  ~Published() {
    for (const Pinned& pinned : pins_) CHECK(pinned.version == nullptr);
  }

  // Keeps a version in memory for its reader.
  class Pin {
   public:
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() { slot_.store(nullptr, std::memory_order_release); }
    const T& operator*() const { return version_; }
    const T* operator->() const { return &version_; }

   private:
    friend class Published;
    Pin(std::atomic<const T*>& slot, const T& version) : slot_(slot), version_(version) {}
    std::atomic<const T*>& slot_;
    const T& version_;
  };

  // Each reader has its own number, and at most one pin at a time.
  Pin Acquire(size_t reader) {
    std::atomic<const T*>& slot = pins_[reader].version;
    CHECK(slot.load(std::memory_order_relaxed) == nullptr);
    const T* version = newest_.load();
    // If the version is still the newest after pinning, the maker sees the pin before it frees
    // versions.
    while (true) {
      slot.store(version);
      const T* again = newest_.load();
      if (again == version) return Pin(slot, *version);
      version = again;
    }
  }

  // Maker's thread only.
  void Publish(std::unique_ptr<const T> next) {
    CHECK(next != nullptr);
    newest_.store(next.get());
    owned_.push_back(std::move(next));
    std::erase_if(owned_, [this](const auto& version) { return !InUse(version.get()); });
  }

  // Maker's thread only; valid until the next Publish.
  const T& newest() const { return *owned_.back(); }

  // For tests: versions that are still in memory.
  size_t versions() const { return owned_.size(); }

 private:
  struct alignas(64) Pinned {  // a cache line each, because readers write them often
    std::atomic<const T*> version = nullptr;
  };

  bool InUse(const T* version) const {
    if (version == newest_.load()) return true;
    for (const Pinned& pinned : pins_) {
      if (pinned.version.load() == version) return true;
    }
    return false;
  }

  std::atomic<const T*> newest_;
  std::vector<Pinned> pins_;
  std::vector<std::unique_ptr<const T>> owned_;  // the maker's
};

}  // namespace meridian::dns
