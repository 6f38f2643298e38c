"""What each command looks like in use: shown by ``--help``, and with the error where something is missing."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("mitools demo",),
    "guide": ("mitools guide encoders",),
    "audit": (
        "mitools audit --data digits --encoder builtin:pixels",
        "mitools audit --data tar:cifar10-test.tar.gz --encoder timm:resnet18",
        'mitools audit --data digits --encoder "checkpoint:w.pth?arch=timm:resnet50"',
        "mitools audit --encoder features:theirs.npz",
    ),
    "same-class": ("mitools same-class features.npz",),
    "estimate": ("mitools estimate x.npy y.npy", "mitools estimate x.npy y.npy --method ksg,infonce"),
    "calibrate": ("mitools calibrate features.npz --method class_posterior,infonce",),
    "correlate": ("mitools correlate audit/results.csv --target linear_acc",),
    "train": ("mitools train recipe.yaml --out runs/simclr",),
    "plane": ("mitools plane runs/simclr --methods certificate,binned",),
    "variables": ("mitools variables runs/imsvd --data digits",),
    "views": (
        "mitools views --data digits --views simclr",
        "mitools views --data folder:images --views lab:l,lab:ab --views rgb:r,rgb:gb",
    ),
    "cite": ("mitools cite", "mitools cite --as cff"),
    "run": ("mitools run --list", "mitools run batch_size --scale smoke --out batch_size"),
    "study": ("mitools study study.yaml --out study", "mitools study status study"),
    "study run": ("mitools study study.yaml --out study",),
    "study status": ("mitools study status study",),
    "study results": ("mitools study results study --table study.tex",),
    "study correlate": ("mitools study correlate study --target linear_acc",),
    "encoders list": ('mitools encoders list "*resnet50*"',),
    "encoders inspect": ("mitools encoders inspect timm:resnet18",),
    "encoders export": ("mitools encoders export run:runs/simclr --as timm --out simclr.pth",),
    "datasets list": ("mitools datasets list",),
    "datasets preview": ("mitools datasets preview scenes --out scenes.png",),
    "datasets export": ('mitools datasets export "cdp?shared=color" --out cdp',),
    "measures list": ('mitools measures list "knn*"',),
}
"""Command lines by the command's name."""
