#!/usr/bin/env python3
"""One Sinkhorn iteration (both half-steps) here and in other programs, timed in one run.

    python -m venv .venv && .venv/bin/pip install -r benches/peers/requirements.txt
    .venv/bin/python benches/peers/compare.py            # the whole table, about five minutes
    .venv/bin/python benches/peers/compare.py 256x256    # one grid

Periodic unit torus, nodes i/n, cost ½|x−y|², float64, two threads; the densities are those of benches/half_step.rs:

    d = 1: exp(0.5 cos 2πx),                          exp(0.8 sin 2πx + 0.3 cos 4πx)
    d = 2: exp(0.5 cos 2πx + 0.4 sin 2πy cos 2πx),    exp(0.6 sin 2πx − 0.5 cos 2πy)

Each peer is timed between two timings of mirrorflow, so that the ratio does not see the machine drift. A peer's time per
iteration is (T(k₂) − T(k₁))/(k₂ − k₁), median over repeats: set-up and compilation cancel out. A peer that is not
installed is skipped; one whose potentials are not finite, or off by more than 1e-6 of the log-domain answer, is marked ✗.
"""
import json, statistics, subprocess, sys, time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
CASES = [("4096", 1e-3), ("4096", 1e-4),
         ("64x64", 1e-3), ("128x128", 1e-3), ("256x256", 1e-3), ("256x256", 1e-4), ("512x512", 1e-3), ("512x512", 1e-5)]
MANY, FEW = 31, 1


def ours():
    """The bench's executable."""
    built = subprocess.run(["cargo", "bench", "--no-run", "--bench", "half_step", "--message-format", "json"],
                           cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = map(json.loads, built.splitlines())
    return next(m["executable"] for m in lines if m.get("target", {}).get("name") == "half_step" and m.get("executable"))


def problem(shape):
    t, tau = np.arange(shape[0]) / shape[0], 2 * np.pi
    if len(shape) == 1:
        a, b = 0.5 * np.cos(tau * t), 0.8 * np.sin(tau * t) + 0.3 * np.cos(2 * tau * t)
    else:
        x, y = np.meshgrid(t, t, indexing="ij")
        a, b = 0.5 * np.cos(tau * x) + 0.4 * np.sin(tau * y) * np.cos(tau * x), 0.6 * np.sin(tau * x) - 0.5 * np.cos(tau * y)
    a, b = np.exp(a), np.exp(b)
    return a / a.sum(), b / b.sum()


def cost(n):
    r = np.abs(np.arange(n)[:, None] - np.arange(n)[None]) / n
    return 0.5 * np.minimum(r, 1 - r) ** 2


def ott(shape, eps, lse):
    import jax
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from ott.geometry import costs, grid, pointcloud
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn

    @jax.tree_util.register_pytree_node_class
    class Periodic(costs.CostFn):
        def __call__(self, x, y):
            z = jnp.abs(x - y)
            return 0.5 * jnp.sum(jnp.minimum(z, 1 - z) ** 2)

        def tree_flatten(self):
            return (), None

        @classmethod
        def tree_unflatten(cls, *_):
            return cls()

    a, b = (jnp.asarray(v.ravel()) for v in problem(shape))
    x, solvers = jnp.arange(shape[0]) / shape[0], {}

    def solver(k):
        @jax.jit
        def solve(a, b):
            if len(shape) == 1:
                geometry = pointcloud.PointCloud(x[:, None], cost_fn=Periodic(), epsilon=eps)
            else:
                geometry = grid.Grid(x=[x] * len(shape), cost_fns=[Periodic()], epsilon=eps)
            out = sinkhorn.Sinkhorn(lse_mode=lse, threshold=-1.0, min_iterations=k, max_iterations=k, inner_iterations=k)(
                linear_problem.LinearProblem(geometry, a=a, b=b))
            return out.f
        return solve

    def run(k):
        if k not in solvers:
            solvers[k] = solver(k)
        return np.asarray(solvers[k](a, b).block_until_ready())
    return run


def geomloss(shape, eps):
    import pykeops
    import torch
    pykeops.set_verbose(False)
    from geomloss._legacy.utils import softmin_grid
    if len(shape) == 1:
        raise ImportError("grids have two axes")
    a, b = (torch.from_numpy(v)[None, None] for v in problem(shape))

    def run(k):
        f = torch.zeros_like(a)
        for _ in range(k):
            g = eps * b.log() + softmin_grid(eps, 2, f / eps)
            f = eps * a.log() + softmin_grid(eps, 2, g / eps)
        return None  # not periodic: nothing to compare
    return run


def fft(shape, eps):
    import scipy.fft as sf
    a, b = problem(shape)
    kernel = np.exp(-cost(shape[0])[0] / eps)
    for _ in shape[1:]:
        kernel = np.multiply.outer(kernel, np.exp(-cost(shape[0])[0] / eps))
    transform = sf.rfftn(kernel)

    def run(k):
        with np.errstate(all="ignore"):
            u = np.ones_like(a)
            for _ in range(k):
                v = b / sf.irfftn(sf.rfftn(u, workers=2) * transform, s=shape, workers=2)
                u = a / sf.irfftn(sf.rfftn(v, workers=2) * transform, s=shape, workers=2)
            return eps * np.log(u)
    return run


def exact(shape, eps, k):
    """Log-domain potentials after k iterations, one axis at a time, by shifted sums: exact where a line ranges over less than 700."""
    kernel = np.exp(-cost(shape[0]) / eps)

    def along(h):
        m = h.max(0)
        return m + np.log(kernel @ np.exp(h - m))

    sums = along if len(shape) == 1 else lambda h: along(along(h).T).T
    la, lb = (np.log(v) for v in problem(shape))
    u = np.zeros(shape)
    for _ in range(k):
        v = lb - sums(u)
        u = la - sums(v)
    return eps * u


PEERS = {
    "OTT-JAX, log-sum-exp": lambda s, e: ott(s, e, True),
    "OTT-JAX, kernel domain": lambda s, e: ott(s, e, False),
    "GeomLoss (KeOps), log": geomloss,
    "FFT convolution, numpy": fft,
}


def seconds(run, most=8.0):
    """Median seconds per iteration; few repeats of what is slow."""
    run(FEW)
    begin = time.perf_counter()
    run(FEW + 1)
    guess = time.perf_counter() - begin
    many = MANY if guess < 0.1 else FEW + 3 if guess < 2 else FEW + 1
    run(many)
    times, start = [], time.perf_counter()
    while len(times) < 3 or (len(times) < 9 and time.perf_counter() - start < most):
        t0 = time.perf_counter(); run(FEW); t1 = time.perf_counter(); run(many); t2 = time.perf_counter()
        times.append(((t2 - t1) - (t1 - t0)) / (many - FEW))
        if times[-1] > 1 and len(times) >= 2:
            break
    return statistics.median(times)


def wrong(run, shape, eps):
    f = run(20)
    if f is None:
        return False
    d = np.asarray(f).reshape(shape) - exact(shape, eps, 20)
    return not (np.isfinite(d).all() and np.ptp(d) < 1e-6)


def main():
    only = sys.argv[1:]
    program = ours()
    mine = lambda grid, eps: json.loads(subprocess.run([program, grid, repr(eps)], check=True, capture_output=True,
                                                       text=True).stdout)["ms"]
    print("| grid | ε | " + " | ".join(f"{name} ms | ours ms | ratio" for name in PEERS) + " |", flush=True)
    print("|" + "---|" * (2 + 3 * len(PEERS)), flush=True)
    for grid, eps in CASES:
        if only and grid not in only:
            continue
        shape, row = tuple(map(int, grid.split("x"))), [grid.replace("x", "×"), f"{eps:g}"]
        for make in PEERS.values():
            try:
                run = make(shape, eps)
                before = mine(grid, eps)
                theirs = 1e3 * seconds(run)
                own = 0.5 * (before + mine(grid, eps))
                mark = " ✗" if wrong(run, shape, eps) else ""
                row += [f"{theirs:.3g}{mark}", f"{own:.3g}", f"{theirs / own:.3g}"]
            except ImportError:
                row += ["–", "–", "–"]
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
